"""Tables of the domain: catalogue, pursuits and tries, evidence, reviews, decisions, awards.

The catalogue's rich content lives in `CredentialVersion.document`, one immutable JSON document per published
version that `microcred.credentials.schema` describes; columns beside it exist only for what is searched or
joined.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    event,
    false,
    inspect,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from microcred.credentials.errors import PublishedVersionChanged
from microcred.credentials.file_models import EvidenceFile
from microcred.database import BIGINT, Base, Json, UtcDateTime, random_id

VERSION_STATES = ("draft", "published", "retired")
ATTEMPT_STATES = (
    "draft",
    "submitted",
    "checking",
    "in_review",
    "second_review",
    "adjudication",
    "recommended",
    "revisions_requested",
    "returned_to_reviewer",
    "awarded",
    "denied",
    "withdrawn",
    "appeal_open",
    "upheld",
    "revoked",
    "expired",
)
"""Those of `microcred.credentials.steps.State`."""
CLOSED_STATES = ("revisions_requested", "awarded", "denied", "upheld", "revoked", "expired")
"""Those of `microcred.credentials.steps.CLOSED`: a new try may be open beside such a one."""
STATES_BESIDE = (*CLOSED_STATES, "appeal_open", "withdrawn")
"""An open try may stand beside such a one: the draft that follows revisions, while an appeal about them is
read, or after it was won.
"""
RECOMMENDATIONS = ("award", "revise", "deny")
DECISIONS = (
    "award",
    "deny",
    "return_to_reviewer",
    "request_revisions",
    "revoke",
    "appeal_award",
    "appeal_uphold",
    "renew",
)
READING_PLACES = ("first", "second", "third")
ASKED_BECAUSE = ("drawn", "borderline", "policy", "disagreement")
RELEASED_BECAUSE = ("late", "conflict", "came_back")
EVIDENCE_KINDS = ("file", "link")
PERMISSION_BASES = ("attested", "form")
PERMISSION_ENDS = ("withdrawn", "expired", "replaced", "infected")
ROSTERS = ("waiting", "whole", "part", "none")
PRIVACY_REASONS = ("name", "face", "permission")


class Catalogue(Base):
    """One imported catalogue: what is said once for all its entries (title, scales, schemes, rules)."""

    __tablename__ = "catalogue"

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    title: Mapped[str] = mapped_column(String(300), unique=True)
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    """Every top-level member of the file except `micro_credentials` and `stacks`."""
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Credential(Base):
    """A micro-credential or a stack, whatever its versions."""

    __tablename__ = "credential"
    __table_args__ = (CheckConstraint("kind IN ('micro_credential', 'stack')", name="kind"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    """`id` in the catalogue file, such as `mc-shape-ideas`."""
    kind: Mapped[str] = mapped_column(String(20))
    catalogue_id: Mapped[int] = mapped_column(ForeignKey("catalogue.id"))
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)


class CredentialVersion(Base):
    """One version. Once published its document never changes; tries pin it."""

    __tablename__ = "credential_version"
    __table_args__ = (
        UniqueConstraint("credential_id", "version"),
        CheckConstraint(f"state IN {VERSION_STATES}", name="state"),
        CheckConstraint("state = 'draft' OR published_at IS NOT NULL", name="published_at"),
        Index("ix_credential_version_state_title", "state", "title"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    version: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), active_history=True)
    code: Mapped[str] = mapped_column(String(60), index=True)
    title: Mapped[str] = mapped_column(String(300))
    search_text: Mapped[str] = mapped_column(Text)
    """Lower-case words that the picker searches: title, code, one line, tags, subjects, standards."""
    clock_hours: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    position: Mapped[int] = mapped_column(Integer)
    """Order in the catalogue file."""
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    credential: Mapped[Credential] = relationship(lazy="raise")


@event.listens_for(CredentialVersion, "before_update")
def _refuse_change(_mapper: object, _connection: object, version: CredentialVersion) -> None:
    """What a published version says cannot change; retiring it, its place and its search words may."""
    state = inspect(version)
    was = (state.attrs.state.history.deleted or [version.state])[0]
    frozen = ("document", "version", "code", "title", "clock_hours", "credential_id", "published_at")
    changed = any(state.attrs[name].history.has_changes() for name in frozen)
    if was != "draft" and (changed or version.state == "draft"):
        raise PublishedVersionChanged(f"{version.code} {version.version}")


@event.listens_for(CredentialVersion, "before_delete")
def _refuse_delete(_mapper: object, _connection: object, version: CredentialVersion) -> None:
    if version.state != "draft":
        raise PublishedVersionChanged(f"{version.code} {version.version}")


class CredentialDraft(Base):
    """What an author is writing: one entry of a catalogue as YAML, right or not yet right."""

    __tablename__ = "credential_draft"
    __table_args__ = (
        CheckConstraint("kind IN ('micro_credential', 'stack')", name="kind"),
        CheckConstraint(
            "(signed_by_id IS NULL) = (signed_at IS NULL) "
            "AND (signed_by_id IS NULL) = (signed_digest IS NULL)",
            name="signed",
        ),
        CheckConstraint("(published_at IS NULL) = (version_id IS NULL)", name="published"),
        CheckConstraint("published_at IS NULL OR signed_at IS NOT NULL", name="signed_before_published"),
        Index("ix_credential_draft_issuer", "issuer_id", "id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    catalogue_id: Mapped[int] = mapped_column(ForeignKey("catalogue.id"))
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer)
    """Rises with every save: a page that shows an older one overwrites nothing."""
    written_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    """Whoever saved it last; somebody else signs it off."""
    confirmed: Mapped[list[str]] = mapped_column(Json, default=list)
    """Ids of `quality.CHECKLIST` that whoever signed confirmed."""
    signed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the text that was signed: another text is not signed."""
    version_id: Mapped[int | None] = mapped_column(ForeignKey("credential_version.id"))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    discarded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Pursuit(Base):
    """A person going for one credential version in one course. It has tries."""

    __tablename__ = "pursuit"
    __table_args__ = (UniqueConstraint("person_id", "placement_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    placement_id: Mapped[int] = mapped_column(ForeignKey("placement.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("credential_version.id"))
    alias: Mapped[str] = mapped_column(String(60))
    """What reviewers call this teacher, such as `Heron 14`."""
    is_test: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Opened by an LMS test user or on a test site: works in full, no real badge."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[CredentialVersion] = relationship(lazy="raise")


class Attempt(Base):
    """One try. Its state changes only through `microcred.credentials.workflow`."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("pursuit_id", "number"),
        CheckConstraint(f"state IN {ATTEMPT_STATES}", name="state"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL", name="submitted_at"),
        # One try of a pursuit is open at a time.
        Index(
            "uq_attempt_open",
            "pursuit_id",
            unique=True,
            sqlite_where=text(f"state NOT IN {STATES_BESIDE}"),
            postgresql_where=text(f"state NOT IN {STATES_BESIDE}"),
        ),
        Index("ix_attempt_state_decision_due_at", "state", "decision_due_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    pursuit_id: Mapped[int] = mapped_column(ForeignKey("pursuit.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(30))
    row_version: Mapped[int] = mapped_column(Integer)
    locked_parts: Mapped[list[str]] = mapped_column(Json, default=list)
    """Part ids that passed in an earlier try; their answers and ratings carry over unchanged."""
    confirmed_statements: Mapped[list[str]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The day that was promised when it was sent in; a later one that was announced is `decision_due_at`."""
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    incomplete_because: Mapped[str] = mapped_column(Text, server_default="", default="")
    """What a reviewer wrote who sent it back as incomplete, until it is sent in again."""
    readings_differ: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Two reviewers came to different results: whoever decides sees it first."""
    pursuit: Mapped[Pursuit] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": row_version}  # noqa: RUF012 (declared so by SQLAlchemy)


class Response(Base):
    """A written answer to one prompt of one try; `revision` rises by one with every save."""

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("attempt_id", "prompt_id", "student_code"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    part_id: Mapped[str] = mapped_column(String(60))
    prompt_id: Mapped[str] = mapped_column(String(60))
    student_code: Mapped[str] = mapped_column(String(10), default="")
    """`A`, `B` ... for prompts repeated per student; else empty."""
    body: Mapped[str] = mapped_column(Text)
    words: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvidenceItem(Base):
    """A file or a link given for one evidence requirement of one try."""

    __tablename__ = "evidence_item"
    __table_args__ = (
        CheckConstraint(f"kind IN {EVIDENCE_KINDS}", name="kind"),
        CheckConstraint("(kind = 'file') = (storage_key IS NOT NULL)", name="file_is_stored"),
        CheckConstraint("(kind = 'link') = (url IS NOT NULL)", name="link_has_url"),
        Index("ix_evidence_item_attempt_requirement", "attempt_id", "requirement_id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    part_id: Mapped[str] = mapped_column(String(60))
    requirement_id: Mapped[str] = mapped_column(String(60))
    student_code: Mapped[str] = mapped_column(String(10), default="")
    kind: Mapped[str] = mapped_column(String(10))
    caption: Mapped[str] = mapped_column(String(300), default="")
    file_name: Mapped[str | None] = mapped_column(String(300))
    media_type: Mapped[str | None] = mapped_column(String(120))
    """Found from the content, not from the name."""
    type_group: Mapped[str | None] = mapped_column(String(20))
    """The catalogue's word: image, pdf, document, audio, video, link."""
    size: Mapped[int | None] = mapped_column(BIGINT)
    sha256: Mapped[str | None] = mapped_column(String(64))
    storage_key: Mapped[str | None] = mapped_column(ForeignKey("evidence_file.storage_key"), index=True)
    url: Mapped[str | None] = mapped_column(Text)
    transcript: Mapped[str] = mapped_column(Text, server_default="")
    """What is said and to be heard in a recording: plain words, or captions with their times (WebVTT)."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hidden_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Only its owner sees it since then: it may show who somebody is, or a permission ended."""
    file: Mapped[EvidenceFile | None] = relationship(lazy="raise")


class EvidencePermission(Base):
    """A line of the ledger of permissions: given for one student code and kind, until it ended."""

    __tablename__ = "evidence_permission"
    __table_args__ = (
        CheckConstraint(f"basis IN {PERMISSION_BASES}", name="basis"),
        CheckConstraint("(basis = 'form') = (form_key IS NOT NULL)", name="form_is_stored"),
        CheckConstraint(
            "(form_key IS NULL) = (form_name IS NULL) AND (form_key IS NULL) = (form_type IS NULL) "
            "AND (form_key IS NULL) = (form_size IS NULL)",
            name="form",
        ),
        CheckConstraint(f"ended_because IS NULL OR ended_because IN {PERMISSION_ENDS}", name="ended_because"),
        CheckConstraint("(withdrawn_at IS NULL) = (ended_because IS NULL)", name="ended"),
        Index("ix_evidence_permission_pursuit", "pursuit_id", "id"),
        # One of each kind stands at a time; what stood before stays on record.
        Index(
            "uq_evidence_permission_standing",
            "pursuit_id",
            "student_code",
            "kind",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    pursuit_id: Mapped[int] = mapped_column(ForeignKey("pursuit.id"))
    student_code: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(40))
    """`consent_needed` of the requirement, such as `student_family`."""
    basis: Mapped[str] = mapped_column(String(20))
    """`attested`: the teacher's word that a form is on file at school; `form`: the form itself."""
    form_key: Mapped[str | None] = mapped_column(ForeignKey("evidence_file.storage_key"), index=True)
    """The form in the store. It names people: only the teacher who gave it can open it."""
    form_name: Mapped[str | None] = mapped_column(String(300))
    form_type: Mapped[str | None] = mapped_column(String(120))
    form_size: Mapped[int | None] = mapped_column(BIGINT)
    expires_on: Mapped[date | None] = mapped_column(Date)
    """The last day it holds, in the organization's time zone."""
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it ended, for whatever reason."""
    ended_because: Mapped[str | None] = mapped_column(String(20))
    form: Mapped[EvidenceFile | None] = relationship(lazy="raise")


class PrivacyFlag(Base):
    """Somebody may be known by a piece or an answer of a try: it went back to the teacher."""

    __tablename__ = "privacy_flag"
    __table_args__ = (
        CheckConstraint(f"because IN {PRIVACY_REASONS}", name="because"),
        CheckConstraint("(item_id IS NULL) <> (response_id IS NULL)", name="about_one_thing"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_item.id"), index=True)
    response_id: Mapped[int | None] = mapped_column(ForeignKey("response.id"), index=True)
    because: Mapped[str] = mapped_column(String(20))
    raised_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """None where a permission ended."""
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NamesCheck(Base):
    """What was found when a try was looked through for names, for the state of the work it was made of."""

    __tablename__ = "names_check"
    __table_args__ = (
        CheckConstraint(f"roster IN {ROSTERS}", name="roster"),
        CheckConstraint("(roster = 'waiting') = (checked_at IS NULL)", name="checked_at"),
    )

    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was looked through: another state of the work is looked through anew."""
    roster: Mapped[str] = mapped_column(String(10))
    """Whether the course told who is in it: whole, in part, or not at all."""
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    unread: Mapped[list[str]] = mapped_column(Json, default=list)
    """Public ids of pieces that could not be read as text."""
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Review(Base):
    """One reviewer's reading of one try, from assignment to recommendation."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("attempt_id", "reviewer_id"),
        CheckConstraint(
            f"recommendation IS NULL OR recommendation IN {RECOMMENDATIONS}", name="recommendation"
        ),
        CheckConstraint("(recommendation IS NULL) = (finished_at IS NULL)", name="finished"),
        CheckConstraint(f"place IN {READING_PLACES}", name="place"),
        CheckConstraint(f"asked_because IS NULL OR asked_because IN {ASKED_BECAUSE}", name="asked_because"),
        CheckConstraint("(place = 'first') = (asked_because IS NULL)", name="asked"),
        CheckConstraint(f"released_because IS NULL OR released_because IN {RELEASED_BECAUSE}", name="reason"),
        CheckConstraint("(released_at IS NULL) = (released_because IS NULL)", name="released"),
        CheckConstraint("released_at IS NULL OR finished_at IS NULL", name="released_or_finished"),
        Index("ix_review_reviewer_finished_at", "reviewer_id", "finished_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recommendation: Mapped[str | None] = mapped_column(String(20))
    place: Mapped[str] = mapped_column(String(10), default="first", server_default="first")
    """`second` and `third` readings are independent of the first: nobody sees another's ratings."""
    asked_because: Mapped[str | None] = mapped_column(String(20))
    """Why a second or third reading was asked for."""
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Taken from this reviewer and given to another one; they do not get it again."""
    released_because: Mapped[str | None] = mapped_column(String(20))
    private_note: Mapped[str] = mapped_column(Text, default="")


class Rating(Base):
    """A level and a comment for one criterion in one review."""

    __tablename__ = "rating"
    __table_args__ = (UniqueConstraint("review_id", "criterion_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    part_id: Mapped[str] = mapped_column(String(60))
    criterion_id: Mapped[str] = mapped_column(String(60))
    level: Mapped[str | None] = mapped_column(String(40))
    comment: Mapped[str] = mapped_column(Text, default="")
    rated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Decision(Base):
    """A decision about a try. Rows are only added; a later one may supersede an earlier one."""

    __tablename__ = "decision"
    __table_args__ = (CheckConstraint(f"kind IN {DECISIONS}", name="kind"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    review_id: Mapped[int | None] = mapped_column(ForeignKey("review.id"))
    """The review it rests on."""
    reason: Mapped[str] = mapped_column(Text, default="")
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Award(Base):
    """The legal fact behind a badge: one per awarding decision."""

    __tablename__ = "award"
    __table_args__ = (Index("ix_award_issuer_id", "issuer_id", "id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    """Shown at `/badges/<public id>`."""
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    pursuit_id: Mapped[int] = mapped_column(ForeignKey("pursuit.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("credential_version.id"), index=True)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    approved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    awarded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clock_hours: Mapped[int] = mapped_column(Integer)
    shows_name: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Whether the public page names the holder; the holder's choice."""
    is_test: Mapped[bool] = mapped_column(Boolean, server_default=false())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revocation_reason: Mapped[str | None] = mapped_column(String(200))
