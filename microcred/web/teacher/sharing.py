"""Where a badge can be taken from its page: addresses that are filled in, texts that are ready to be copied.

Only what the public page says goes out; no evidence, no feedback.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from markupsafe import escape

from microcred.badges.facts import Addresses
from microcred.badges.public_award import PublicAward
from microcred.credentials.labels import hours_in_words
from microcred.web.base import wording

_LINKEDIN = "https://www.linkedin.com/profile/add"
_EMBED_PIXELS = 180


@dataclass(frozen=True)
class Sharing:
    """Addresses to open and texts to copy."""

    page_url: str
    linkedin_url: str
    mail_url: str
    resume_line: str
    embed_code: str
    png_url: str
    svg_url: str


def sharing(award: PublicAward, addresses: Addresses) -> Sharing:
    """Everything for one award."""
    document = award.definition.document
    page = addresses.page(award.public_id)
    day = wording.date(award.awarded_at, award.zone)
    hours = hours_in_words(award.definition)
    line = f"{document.badge.name}: {document.title}. {award.issuer_name}, {day}, {hours}."
    return Sharing(
        page_url=page,
        linkedin_url=_linkedin(award, page),
        mail_url=_mail(award, page, day),
        resume_line=f"{line} {page}",
        embed_code=_embed(award, addresses, page),
        png_url=addresses.baked(award.public_id),
        svg_url=addresses.baked_svg(award.public_id),
    )


def _linkedin(award: PublicAward, page: str) -> str:
    """LinkedIn's form for licences and certifications, filled in."""
    awarded = award.awarded_at.astimezone(award.zone)
    fields = {
        "startTask": "CERTIFICATION_NAME",
        "name": award.definition.document.badge.name,
        "organizationName": award.issuer_name,
        "issueYear": str(awarded.year),
        "issueMonth": str(awarded.month),
    }
    if award.valid_until is not None:
        ends = award.valid_until.astimezone(award.zone)
        fields |= {"expirationYear": str(ends.year), "expirationMonth": str(ends.month)}
    fields |= {"certUrl": page, "certId": award.public_id}
    return f"{_LINKEDIN}?{urlencode(fields, quote_via=quote)}"


def _mail(award: PublicAward, page: str, day: str) -> str:
    document = award.definition.document
    subject = f"My micro-credential {document.badge.name}"
    body = (
        f"Hello,\n\nI have earned the micro-credential {document.badge.name} ({document.title}). "
        f"{award.issuer_name} awarded it on {day}, and it counts for {hours_in_words(award.definition)}.\n\n"
        f"You can check it here, without an account:\n{page}\n"
    )
    # Line ends as mail has them (RFC 6068, section 5).
    return f"mailto:?subject={quote(subject)}&body={quote(body.replace(chr(10), chr(13) + chr(10)))}"


def _embed(award: PublicAward, addresses: Addresses, page: str) -> str:
    badge = award.definition.document.badge
    label = f"{badge.name}, awarded by {award.issuer_name}"
    return (
        f'<a href="{escape(page)}"><img src="{escape(addresses.art(award.version_public_id))}" '
        f'alt="{escape(label)}" width="{_EMBED_PIXELS}"></a>'
    )
