"""The documents of issued badges as the public reads them, and the way to issue them."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges import ctdl, documents, keys
from microcred.badges.backpack import connections
from microcred.badges.baking_svg import bake_svg
from microcred.badges.facts import Addresses
from microcred.badges.from_version import achievement_facts, organization_facts, signed_endorsements
from microcred.badges.issuer_keys import IssuerKeys
from microcred.badges.issuing import Issuing
from microcred.badges.lifecycle import is_withdrawn
from microcred.badges.models import Badge, Endorsement
from microcred.badges.pictures import Pictures, svg
from microcred.badges.public_award import BadgeGone, NoSuchBadge, PublicAward, read_award
from microcred.badges.signed_ob2 import SignedAssertions
from microcred.badges.status_lists import StatusLists
from microcred.credentials import NotInCatalogue, definition_of, document_of
from microcred.credentials.models import Award, Credential, CredentialVersion
from microcred.database import Clock, Database
from microcred.people.models import Organization, Person
from microcred.sealing import Keyring
from microcred.storage import Storage

Document = dict[str, Any]


class BadgeStore:
    """Issued badges, issuer keys and status lists. `badge_url` is the origin under which badges live."""

    def __init__(
        self, database: Database, keyring: Keyring, storage: Storage, clock: Clock, badge_url: str
    ) -> None:
        self._database, self._storage, self._clock = database, storage, clock
        self._keyring = keyring
        self.keys = IssuerKeys(database, keyring, clock, badge_url)
        self.badge_url = badge_url
        self.addresses = Addresses(badge_url)
        self._pictures = Pictures(storage)
        self._issuing = Issuing(database, storage, clock, self.keys, self._pictures, badge_url)
        self._signed = SignedAssertions(database, self.keys, self.addresses)
        self._lists = StatusLists(database, clock, self.keys, self.addresses)

    def issue(self, job: outbox.Job) -> outbox.Outcome:
        """Handler of outbox kind `badge`."""
        return self._issuing.issue(job)

    # --- keys
    # ------------------------------------------------------------------------------------------------------

    def unopened_keys(self, session: Session) -> list[str]:
        """Issuer keys that the installation's secrets do not open, by fragment."""
        return self.keys.unopened(session)

    def reseal(self) -> int:
        """Seal stored private keys and backpack tokens with the current secret; how many were sealed with an
        older one.
        """
        with self._database.writing() as session:
            backpacks = connections.reseal(session, self._keyring)
        return self.keys.reseal() + backpacks

    # --- what the public reads
    # ---------------------------------------------------------------------------------------

    def credential(self, badge_id: str) -> Document:
        """The signed OB 3.0 credential. Raises NoSuchBadge."""
        with self._database.reading() as session:
            document = self._issued(session, badge_id).ob3
        assert document is not None
        return document

    def token(self, badge_id: str) -> str:
        """The credential as VC-JWT. Raises NoSuchBadge, also where the badge has none."""
        with self._database.reading() as session:
            token = self._issued(session, badge_id).jwt
        if token is None:
            raise NoSuchBadge
        return token

    def assertion(self, badge_id: str) -> Document:
        """The hosted OB 2.0 assertion. Raises NoSuchBadge, and BadgeGone once revoked."""
        with self._database.reading() as session:
            badge = self._issued(session, badge_id)
            award = session.get_one(Award, badge.award_id)
            if award.revoked_at is not None:
                reason = award.revocation_reason or "Revoked by the issuer"
                raise BadgeGone(documents.ob2_revoked(self.addresses, badge_id, reason))
            document = badge.ob2_assertion
        assert document is not None
        return document

    def signed_assertion(self, badge_id: str) -> str:
        """The OB 2.0 assertion as compact JWS. Raises NoSuchBadge, and BadgeGone once revoked."""
        return self._signed.token(self.assertion(badge_id), badge_id)

    def badge_class(self, version_id: str) -> Document:
        """The OB 2.0 BadgeClass of a published credential version (by public id). Raises NoSuchBadge."""
        return documents.ob2_badge_class(self._class_facts(version_id))

    def achievement(self, version_id: str) -> Document:
        """The OB 3.0 Achievement of a published credential version (by public id). Raises NoSuchBadge."""
        return documents.ob3_achievement(self._class_facts(version_id))

    def description(self, version_id: str) -> Document:
        """A published credential version (by public id) in CTDL. Raises NoSuchBadge."""
        return ctdl.ctdl_description(self._class_facts(version_id))

    def endorsement(self, endorsement_id: str) -> Document:
        """A signed EndorsementCredential. Raises NoSuchBadge."""
        with self._database.reading() as session:
            found = session.scalar(
                select(Endorsement.credential).where(Endorsement.public_id == endorsement_id)
            )
        if found is None:
            raise NoSuchBadge
        return dict(found)

    def issuer(self, organization_id: str) -> Document:
        """The OB 2.0 Profile of an issuer (by public id). Raises NoSuchBadge."""
        with self._database.reading() as session:
            organization = session.scalar(
                select(Organization).where(Organization.public_id == organization_id)
            )
            if organization is None or not organization.contact_email:
                raise NoSuchBadge
            facts = organization_facts(organization, self.badge_url)
        return documents.ob2_issuer_profile(self.addresses, facts, self._signed.keys(organization_id))

    def issuer_key(self, organization_id: str, key_id: str) -> Document:
        """A key of an issuer (by public id) that signs OB 2.0 assertions. Raises NoSuchBadge."""
        return self._signed.key(organization_id, key_id)

    def revocations(self, organization_id: str) -> Document:
        """The OB 2.0 RevocationList of an issuer (by public id). Raises NoSuchBadge."""
        return self._signed.revoked(organization_id)

    def did_document(self, organization_id: str) -> Document:
        """The DID document of an issuer (by public id): its current key first, then the retired ones. Raises
        NoSuchBadge.
        """
        with self._database.reading() as session:
            found = self.keys.public_keys(session, organization_id)
        if not found:
            raise NoSuchBadge
        return keys.did_document(keys.did_web(self.badge_url, f"ob/issuers/{organization_id}"), found)

    def key_set(self, organization_id: str) -> Document:
        """The public RSA keys of an issuer (by public id), which sign its VC-JWTs. Raises NoSuchBadge."""
        with self._database.reading() as session:
            found = self.keys.public_jwks(session, organization_id)
        if not found:
            raise NoSuchBadge
        return {"keys": found}

    def public_key(self, organization_id: str, key_id: str) -> Document:
        """One of them, by its thumbprint. Raises NoSuchBadge."""
        kid = self.addresses.key(organization_id, key_id)
        for jwk in self.key_set(organization_id)["keys"]:
            if jwk["kid"] == kid:
                return dict(jwk)
        raise NoSuchBadge

    def status_list(self, number: int) -> Document:
        """The signed Bitstring status list credential, signed anew after a revocation. Raises NoSuchBadge."""
        return self._lists.credential(number)

    def baked(self, badge_id: str) -> bytes:
        """The baked PNG, both versions inside. Raises NoSuchBadge, and BadgeGone once revoked."""
        self.assertion(badge_id)
        with self._database.reading() as session:
            key = self._issued(session, badge_id).image_key
        assert key is not None
        return self._storage.read(key)

    def baked_svg(self, badge_id: str) -> bytes:
        """The baked SVG, both versions inside. Raises NoSuchBadge, and BadgeGone once revoked."""
        assertion = self.assertion(badge_id)
        with self._database.reading() as session:
            badge = self._issued(session, badge_id)
            award = session.get_one(Award, badge.award_id)
            document = document_of(session.get_one(CredentialVersion, award.version_id))
        return bake_svg(
            svg(document),
            ob2=json.dumps(assertion),
            ob3=json.dumps(badge.ob3),
            hosted=self.addresses.assertion(badge_id),
        )

    def art_png(self, version_id: str) -> bytes:
        """The picture of a credential version, nobody's award in it. Raises NoSuchBadge."""
        with self._database.reading() as session:
            document = document_of(self._version(session, version_id))
        return self._pictures.png(version_id, document)

    def public_award(self, award_id: str) -> PublicAward:
        """What anybody may know of an award (by public id). Raises NoSuchBadge."""
        with self._database.reading() as session:
            return read_award(session, award_id, self.badge_url)

    def _issued(self, session: Session, badge_id: str) -> Badge:
        badge = session.scalar(select(Badge).where(Badge.public_id == badge_id))
        if badge is None:
            raise NoSuchBadge
        award = session.get_one(Award, badge.award_id)
        if is_withdrawn(session, award, session.get_one(Person, award.person_id)):
            raise BadgeGone(
                documents.ob2_revoked(self.addresses, badge_id, "Withdrawn with its holder's data")
            )
        if badge.issued_at is None:
            raise NoSuchBadge
        return badge

    def _version(self, session: Session, version_id: str) -> CredentialVersion:
        version = session.scalar(
            select(CredentialVersion).where(
                CredentialVersion.public_id == version_id, CredentialVersion.state != "draft"
            )
        )
        if version is None:
            raise NoSuchBadge
        return version

    def _class_facts(self, version_id: str) -> documents.ClassFacts:
        with self._database.reading() as session:
            version = self._version(session, version_id)
            issuer_id = session.scalars(
                select(Credential.issuer_id).where(Credential.id == version.credential_id)
            ).one()
            issuer = session.get_one(Organization, issuer_id)
            try:
                achievement = achievement_facts(
                    definition_of(session, version), version, signed_endorsements(session, version.id)
                )
            except NotInCatalogue as missing:  # a stack: it has a picture, and no badge is issued for it yet
                raise NoSuchBadge from missing
            current = self.keys.current_public(session, issuer_id)
        did = (
            keys.issuer_identity(self.badge_url, issuer.public_id, current).did
            if current
            else self.addresses.issuer(issuer.public_id)
        )
        return documents.ClassFacts(
            self.addresses, organization_facts(issuer, self.badge_url), did, achievement
        )
