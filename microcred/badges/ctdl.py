"""A credential version in CTDL, the vocabulary in which registries compare credentials (Credential Engine).

It is a description for search engines and registries: nothing in it is signed.
"""

from microcred.badges.facts import AlignmentFacts, ClassFacts
from microcred.badges.values import Document, address, number, optional, text, without_none

_CONTEXT = "https://credreg.net/ctdl/schema/context/json"
_LANGUAGE = "en-US"


def ctdl_description(facts: ClassFacts) -> Document:
    """The `ceterms:MicroCredential` of one version; texts are language maps, as CTDL has them."""
    achievement = facts.achievement
    language = achievement.language or _LANGUAGE
    own_id = f"{facts.addresses.base}/ob/ctdl/{achievement.id}"

    def words(value: str) -> dict[str, str]:
        return {language: text(value)}

    conditions = without_none(
        {
            "@type": "ceterms:ConditionProfile",
            "ceterms:description": words(achievement.criteria_narrative),
            "ceterms:creditValue": _hours(achievement.credits_available, language),
            "ceterms:targetCompetency": [
                _alignment(item, language) for item in dict.fromkeys(achievement.alignments)
            ]
            or None,
        }
    )
    tags = [text(tag) for tag in achievement.tags]
    return without_none(
        {
            "@context": _CONTEXT,
            "@id": own_id,
            "@type": "ceterms:MicroCredential",
            "ceterms:name": words(achievement.name),
            "ceterms:description": words(achievement.description),
            "ceterms:codedNotation": optional(achievement.code),
            "ceterms:versionIdentifier": _version(achievement.version),
            "ceterms:inLanguage": [language],
            "ceterms:image": address(facts.addresses.art(achievement.id)),
            "ceterms:subjectWebpage": facts.addresses.achievement(achievement.id),
            "ceterms:credentialStatusType": _item(
                "credentialStat:Active", "Active", "https://credreg.net/ctdl/terms/CredentialStatus"
            ),
            "ceterms:keyword": {language: tags} if tags else None,
            "ceterms:ownedBy": [_organization(facts)],
            "ceterms:offeredBy": [_organization(facts)],
            "ceterms:requires": [conditions],
        }
    )


def _organization(facts: ClassFacts) -> Document:
    return without_none(
        {
            "@type": "ceterms:CredentialOrganization",
            "ceterms:name": {_LANGUAGE: text(facts.issuer.name)},
            "ceterms:subjectWebpage": address(facts.issuer.url),
            "ceterms:email": [facts.issuer.email] if facts.issuer.email else None,
        }
    )


def _version(version: str | None) -> list[Document] | None:
    if not version:
        return None
    return [{"@type": "ceterms:IdentifierValue", "ceterms:identifierValueCode": text(version)}]


def _hours(hours: float | None, language: str) -> list[Document] | None:
    if hours is None:
        return None
    unit = _item("creditUnit:ContactHour", "Contact Hour", "https://credreg.net/ctdl/terms/CreditUnit")
    return [
        {
            "@type": "ceterms:ValueProfile",
            "ceterms:creditUnitType": [unit],
            "schema:value": number(hours),
            "schema:description": {language: "Clock hours of professional learning"},
        }
    ]


def _alignment(item: AlignmentFacts, language: str) -> Document:
    return without_none(
        {
            "@type": "ceterms:CredentialAlignmentObject",
            "ceterms:targetNodeName": {language: text(item.name)},
            "ceterms:targetNode": address(item.url),
            "ceterms:codedNotation": optional(item.code),
            "ceterms:frameworkName": {language: text(item.framework)} if item.framework else None,
        }
    )


def _item(node: str, name: str, framework: str) -> Document:
    return {
        "@type": "ceterms:CredentialAlignmentObject",
        "ceterms:framework": framework,
        "ceterms:targetNode": node,
        "ceterms:targetNodeName": {_LANGUAGE: name},
    }
