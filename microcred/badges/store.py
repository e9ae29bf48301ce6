"""Issuing badges from awards, and the documents of issued badges as the public reads them.

Issuing is a job of the outbox (kind `badge`): the badge's address and its place in a status list are
fixed in one transaction, then keys, picture and storage work happen outside any, then the signed
documents are kept with the job's result. A repeat signs the same badge.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import null, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges import art, ctdl, documents, integrity, keys, status, vc_jwt
from microcred.badges.backpack import connections
from microcred.badges.baking import bake
from microcred.badges.baking_svg import bake_svg
from microcred.badges.endorsing import Endorsed, endorsed_by
from microcred.badges.facts import Addresses, AwardFacts
from microcred.badges.from_award import (
    achievement_facts,
    award_facts,
    organization_facts,
    signed_endorsements,
)
from microcred.badges.issuer_keys import IssuerKeys, Signer
from microcred.badges.models import Badge, Endorsement, HoldersChoice, KeptBadge, StatusList
from microcred.credentials import (
    Definition,
    MicroCredential,
    NotInCatalogue,
    Stack,
    definition_of,
    document_of,
)
from microcred.credentials.models import Award, Credential, CredentialVersion
from microcred.database import Clock, Database
from microcred.people import policies
from microcred.people.models import Organization, Person
from microcred.sealing import Keyring
from microcred.storage import Storage

KIND = "badge"
_PICTURE_PIXELS = 600
_LIST_SIZE = status.MINIMUM_BITS

Document = dict[str, Any]


class BadgeGone(Exception):
    """The badge was revoked or withdrawn; `document` is what its address answers with status 410."""

    def __init__(self, document: Document) -> None:
        super().__init__("gone")
        self.document = document


class NoSuchBadge(Exception):
    """There is nothing under this address."""


@dataclass(frozen=True)
class PublicAward:
    """What the verification page shows of an award; no evidence, and a name only by the holder's choice."""

    public_id: str
    """The one id of award and badge, in every public address."""
    is_issued: bool
    """False while the badge is still being made."""
    definition: Definition
    version_public_id: str
    issuer_name: str
    issuer_url: str | None
    holder_name: str | None
    awarded_at: datetime
    valid_until: datetime | None
    clock_hours: int
    revoked_at: datetime | None
    revocation_reason: str | None
    is_test: bool
    is_withdrawn: bool
    zone: ZoneInfo
    """The issuer's time zone: dates are shown in it."""
    is_trial: bool = False
    """The work of a test user or on a test site: no badge is ever made of it."""
    shared: tuple[str, str] | None = None
    """Heading and words of the one piece of writing that the holder shows."""
    endorsements: tuple[Endorsed, ...] = ()


def request(session: Session, award: Award, *, now: datetime) -> None:
    """Ask for the badge of an award, in the decision's transaction."""
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=f"badge:{award.id}",
        subject=("award", str(award.id)),
        payload={"award_id": award.id},
        now=now,
    )


def reissue(session: Session, award: Award, *, now: datetime) -> None:
    """Ask for the badge of an award to be written anew, because what it says has changed.

    It keeps its id and its place in the status list; `validFrom` moves, by which others know the newer copy
    (OB 3.0, Credential Equality and Comparison).
    """
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=f"badge:{award.id}",
        subject=("award", str(award.id)),
        payload={"award_id": award.id, "again": True},
        now=now,
    )


def revoke(session: Session, award: Award, *, reason: str, now: datetime) -> None:
    """Revoke an award: its hosted assertion answers 410 from now on and its bit is set in the list that is
    signed next.
    """
    award.revoked_at, award.revocation_reason = now, reason[:200]
    session.flush()
    # Written even where this session saw no signed list: somebody may be signing the old bits just now.
    number = select(Badge.status_list_id).where(Badge.award_id == award.id).scalar_subquery()
    session.execute(
        update(StatusList).where(StatusList.id == number).values(credential=null()),
        execution_options={"synchronize_session": "fetch"},
    )


def withdraw(session: Session, award: Award, *, now: datetime) -> str | None:
    """Take back the badge of a holder who is erased: its documents are gone, its addresses answer 410.

    Gives the storage key of its picture, for whoever deletes it after the transaction. What a backpack holds
    already stays signed: the issuer has not revoked it.
    """
    outbox.cancel(session, now=now, subject=("award", str(award.id)))
    _forget_choice(session, award)
    badge = session.scalar(select(Badge).where(Badge.award_id == award.id))
    if badge is None:
        return None
    picture = badge.image_key
    badge.ob3 = badge.ob2_assertion = badge.jwt = badge.image_key = badge.issued_at = None
    return picture


def keep(session: Session, award: Award, *, now: datetime) -> None:
    """Leave the badge of a holder who is erased where it is, without a name."""
    if session.get(KeptBadge, award.id) is None:
        session.add(KeptBadge(award_id=award.id, kept_at=now))
    if _forget_choice(session, award):
        reissue(session, award, now=now)


def _forget_choice(session: Session, award: Award) -> bool:
    """Nothing that the holder showed of their own is shown any longer; whether there was anything."""
    award.shows_name = False
    choice = session.get(HoldersChoice, award.id)
    if choice is not None:
        session.delete(choice)
        session.flush()
    return choice is not None


def _is_withdrawn(session: Session, award: Award, holder: Person) -> bool:
    return holder.state == "erased" and session.get(KeptBadge, award.id) is None


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

    # --- issuing
    # ---------------------------------------------------------------------------------------------------

    def issue(self, job: outbox.Job) -> outbox.Outcome:
        """Handler of outbox kind `badge`."""
        award_id, again = int(job.payload["award_id"]), bool(job.payload.get("again"))
        try:
            issuer_id = self._reserve(award_id, again=again)
        except IntegrityError:  # another worker has begun the same job
            issuer_id = self._reserve(award_id, again=again)
        if issuer_id is None:
            return outbox.Superseded(reason="nothing_to_issue")
        signer = self._signer(issuer_id)
        now = self._clock.now()
        with self._database.reading() as session:
            award, badge = self._award_and_badge(session, award_id)
            if badge.issued_at is not None:  # a newer copy is known by its second
                now = max(now, badge.issued_at + timedelta(seconds=1))
            facts = award_facts(
                session,
                award,
                badge,
                badge_url=self.badge_url,
                did=signer.identity.did,
                test=signer.identity.test or award.is_test,
                now=now,
            )
            document = document_of(session.get_one(CredentialVersion, award.version_id))
        credential, assertion, token = self._sign(facts, signer, issuer_id)
        image_key = f"badges/{facts.public_id}.png"
        picture = bake(
            self._picture(facts.achievement.id, document),
            ob2=json.dumps(assertion),
            ob3=json.dumps(credential),
        )
        self._storage.put(image_key, [picture])

        def keep(session: Session) -> None:
            _, row = self._award_and_badge(session, award_id)
            row.ob3, row.ob2_assertion, row.image_key, row.issued_at = credential, assertion, image_key, now
            row.jwt = token
            connections.queue_standing(session, session.get_one(Award, award_id), now=self._clock.now())

        return outbox.Delivered(answer={"badge": facts.public_id}, record=keep)

    def _sign(
        self, facts: AwardFacts, signer: Signer, issuer_id: int
    ) -> tuple[Document, Document, str | None]:
        """The OB 3.0 credential, the OB 2.0 assertion, and the VC-JWT where there is a subject to name."""
        unsigned = documents.ob3_credential(facts)
        signed = integrity.sign(unsigned, signer.key, signer.identity.verification_method, facts.valid_from)
        token = None
        if facts.recipient.subject_id:
            token_signer = self.keys.token_signer(issuer_id)
            token = vc_jwt.sign(unsigned, token_signer.key, token_signer.kid)
        return signed, documents.ob2_assertion(facts), token

    def _reserve(self, award_id: int, *, again: bool) -> int | None:
        """Fix the badge's address and status index. The issuer's id, or None where nothing is to be issued:
        the badge is there already and is not wanted again, or the award was revoked before it was.
        """
        with self._database.writing() as session:
            award = session.get_one(Award, award_id)
            badge = session.scalar(select(Badge).where(Badge.award_id == award_id))
            if award.revoked_at is not None or (badge is not None and badge.issued_at and not again):
                return None
            if badge is None:
                numbers = self._open_list(session, award.issuer_id)
                index = self._free_index(session, numbers)
                # One id for the award and its badge: whoever has one address can tell all others.
                session.add(
                    Badge(
                        award_id=award_id,
                        public_id=award.public_id,
                        status_list_id=numbers.id,
                        status_index=index,
                    )
                )
                numbers.issued += 1
            return award.issuer_id

    def _open_list(self, session: Session, issuer_id: int) -> StatusList:
        """The issuer's list with room, locked until the transaction ends; half full counts as full."""
        found = session.scalar(
            select(StatusList)
            .where(StatusList.organization_id == issuer_id, StatusList.issued < StatusList.size // 2)
            .order_by(StatusList.id)
            .limit(1)
            .with_for_update()
        )
        if found is None:
            found = StatusList(organization_id=issuer_id, size=_LIST_SIZE, issued=0)
            session.add(found)
            session.flush()
        return found

    def _free_index(self, session: Session, numbers: StatusList) -> int:
        """A random index nobody has: an index must not tell when, or beside whom, a badge was earned."""
        while True:
            index = secrets.randbelow(numbers.size)
            taken = session.scalar(
                select(Badge.id).where(Badge.status_list_id == numbers.id, Badge.status_index == index)
            )
            if taken is None:
                return index

    # --- keys
    # ------------------------------------------------------------------------------------------------------

    def _signer(self, organization_id: int) -> Signer:
        return self.keys.signer(organization_id)

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
            return documents.ob2_issuer_profile(
                self.addresses, organization_facts(organization, self.badge_url)
            )

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
        with self._database.reading() as session:
            numbers = session.get(StatusList, number)
            if numbers is None:
                raise NoSuchBadge
            if numbers.credential is not None:
                return numbers.credential
        signer = self._signer(numbers.organization_id)
        now = self._clock.now()
        with self._database.reading() as session:
            revoked = session.scalars(
                select(Badge.status_index)
                .join(Award, Award.id == Badge.award_id)
                .where(Badge.status_list_id == number, Award.revoked_at.is_not(None))
            ).all()
        unsigned = status.list_credential(
            url=self.addresses.status_list(number),
            issuer_did=signer.identity.did,
            revoked=revoked,
            size=numbers.size,
            valid_from=now,
        )
        signed = integrity.sign(unsigned, signer.key, signer.identity.verification_method, now)
        with self._database.writing() as session:
            # Locked first: a revocation that is not seen below waits here, and then empties the column.
            row = session.get_one(StatusList, number, with_for_update=True)
            # A revocation committed since the bits were read has emptied the column again: it must not be
            # overwritten.
            again = session.scalars(
                select(Badge.status_index)
                .join(Award, Award.id == Badge.award_id)
                .where(Badge.status_list_id == number, Award.revoked_at.is_not(None))
            ).all()
            if sorted(again) == sorted(revoked):
                row.credential, row.signed_at = signed, now
        return signed

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
            art.badge_svg(_art_facts(document)),
            ob2=json.dumps(assertion),
            ob3=json.dumps(badge.ob3),
            hosted=self.addresses.assertion(badge_id),
        )

    def art_png(self, version_id: str) -> bytes:
        """The picture of a credential version, nobody's award in it. Raises NoSuchBadge."""
        with self._database.reading() as session:
            document = document_of(self._version(session, version_id))
        return self._picture(version_id, document)

    def public_award(self, award_id: str) -> PublicAward:
        """What anybody may know of an award (by public id). Raises NoSuchBadge."""
        with self._database.reading() as session:
            award = session.scalar(select(Award).where(Award.public_id == award_id))
            if award is None:
                raise NoSuchBadge
            version = session.get_one(CredentialVersion, award.version_id)
            issuer = session.get_one(Organization, award.issuer_id)
            person = session.get_one(Person, award.person_id)
            issued_at = session.scalar(select(Badge.issued_at).where(Badge.award_id == award.id))
            return PublicAward(
                public_id=award.public_id,
                is_issued=issued_at is not None,
                definition=definition_of(session, version),
                version_public_id=version.public_id,
                issuer_name=issuer.name,
                issuer_url=issuer.url,
                holder_name=person.name if award.shows_name else None,
                awarded_at=award.awarded_at,
                valid_until=award.valid_until,
                clock_hours=award.clock_hours,
                revoked_at=award.revoked_at,
                revocation_reason=award.revocation_reason,
                is_test=award.is_test or keys.is_test_address(self.badge_url),
                is_withdrawn=_is_withdrawn(session, award, person),
                zone=policies.zone_of(session, award.issuer_id),
                is_trial=award.is_test,
                shared=_shared(session.get(HoldersChoice, award.id)),
                endorsements=endorsed_by(session, version.id),
            )

    def _issued(self, session: Session, badge_id: str) -> Badge:
        badge = session.scalar(select(Badge).where(Badge.public_id == badge_id))
        if badge is None:
            raise NoSuchBadge
        award = session.get_one(Award, badge.award_id)
        if _is_withdrawn(session, award, session.get_one(Person, award.person_id)):
            raise BadgeGone(
                documents.ob2_revoked(self.addresses, badge_id, "Withdrawn with its holder's data")
            )
        if badge.issued_at is None:
            raise NoSuchBadge
        return badge

    def _award_and_badge(self, session: Session, award_id: int) -> tuple[Award, Badge]:
        badge = session.scalars(select(Badge).where(Badge.award_id == award_id)).one()
        return session.get_one(Award, award_id), badge

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

    def _picture(self, version_id: str, document: MicroCredential | Stack) -> bytes:
        """The PNG of a version's badge, rendered once and kept."""
        key = f"art/{version_id}-{_PICTURE_PIXELS}.png"
        try:
            return self._storage.read(key)
        except FileNotFoundError:
            pass
        svg = art.badge_svg(_art_facts(document))
        picture = art.badge_png(svg, _PICTURE_PIXELS)
        self._storage.put(key, [picture])
        return picture


def _shared(choice: HoldersChoice | None) -> tuple[str, str] | None:
    if choice is None or choice.shared_title is None or choice.shared_text is None:
        return None
    return choice.shared_title, choice.shared_text


def _art_facts(document: MicroCredential | Stack) -> art.ArtFacts:
    badge = document.badge
    return art.ArtFacts(
        name=badge.name,
        code=document.code,
        shape=badge.shape,
        primary_colour=badge.primary_colour,
        accent_colour=badge.accent_colour,
        icon=badge.icon,
        alt=badge.image_alt,
        level="stack" if isinstance(document, Stack) else "credential",
    )
