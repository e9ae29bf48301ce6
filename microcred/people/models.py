"""Tables: persons, their LMS identities, organizations, role grants, addresses, one-time links, audit
events.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, Json, UtcDateTime, random_id

PERSON_STATES = ("active", "suspended", "erased")
NOTICE_TOPICS = ("my_work", "reminders", "reviews", "decisions")
"""What notices are about; a person chooses for each whether it comes by mail too."""
MAIL_STATES = ("none", "queued", "begun", "sent", "unknown")
OFFICE_ROLES = ("operator", "author", "reviewer", "approver", "faculty", "registrar", "leader")


class Organization(Base):
    """A district, an issuer or a university: owns registrations, credentials, grants and policies."""

    __tablename__ = "organization"

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    code: Mapped[str] = mapped_column(String(120), unique=True)
    """The name data files use, such as `iss-riverbend`."""
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    """What public addresses show, such as `/ob/2.0/issuers/<public id>`."""
    name: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(40))
    url: Mapped[str | None] = mapped_column(Text)
    contact_email: Mapped[str | None] = mapped_column(String(320))
    shares_catalogue: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Published credentials of a sharing organization are seen in every organization's courses."""
    policies: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Time zone, holidays, retention, reviewers; see `microcred.people.policies`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Person(Base):
    """Somebody who works here, whatever LMS they come from."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint(f"state IN {PERSON_STATES}", name="state"),
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="merged_elsewhere"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    name: Mapped[str | None] = mapped_column(String(300))
    given_name: Mapped[str | None] = mapped_column(String(300))
    family_name: Mapped[str | None] = mapped_column(String(300))
    email: Mapped[str | None] = mapped_column(String(320))
    """As the LMS said it last; never used to join two people or to raise rights."""
    locale: Mapped[str | None] = mapped_column(String(35))
    state: Mapped[str] = mapped_column(String(20), default="active")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LmsIdentity(Base):
    """One (registration, `sub`): how an LMS names a person. `sub` is compared exactly, case included."""

    __tablename__ = "lms_identity"
    __table_args__ = (UniqueConstraint("registration_id", "sub"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    sub: Mapped[str] = mapped_column(String(255))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    is_test_user: Mapped[bool] = mapped_column(Boolean, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RoleGrant(Base):
    """An office somebody holds: role, organization, from, to, by whom. Course roles come from launches, never
    from here.
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(f"role IN {OFFICE_ROLES}", name="role"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        Index("ix_role_grant_person_role", "person_id", "role"),
        Index("ix_role_grant_organization_role", "organization_id", "role"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(20))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    """None only for an operator of the whole installation."""
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ContactAddress(Base):
    """An e-mail address; `confirmed_at` is set by a mailed link or by an organization that is trusted for its
    domain.
    """

    __tablename__ = "contact_address"
    __table_args__ = (UniqueConstraint("person_id", "address"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    address: Mapped[str] = mapped_column(String(320))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OneTimeLink(Base):
    """A link that opens a first-party session at `/desk/` once. Only a digest of its secret is kept."""

    __tablename__ = "one_time_link"

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the secret in the link, hex."""
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeskSession(Base):
    """A first-party session at `/desk/`, opened by a one-time link."""

    __tablename__ = "desk_session"

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LinkCode(Base):
    """A code that a person takes to another course system to say "that is me as well". One a person, once."""

    __tablename__ = "link_code"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    """Who made it: the row of the identity they came with. A newer code takes the place of an older one."""
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """HMAC of the code, hex."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EraseRequest(Base):
    """Somebody asked to be erased; an operator decides when. Kept after it was answered, without a name."""

    __tablename__ = "erase_request"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed"),
        CheckConstraint("outcome IN ('erased', 'declined', 'taken_back')", name="outcome"),
        Index(
            "uq_erase_request_open",
            "person_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    keeps_badges: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """The holder wants their badge pages to stay, without a name."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(20))


class Notice(Base):
    """A sentence that somebody should read: on their pages, and by mail where they want it.

    It holds no evidence, nothing about students and no name.
    """

    __tablename__ = "notice"
    __table_args__ = (
        # One turn is told once to one person, however often it is worked off.
        UniqueConstraint("person_id", "key"),
        CheckConstraint(f"topic IN {NOTICE_TOPICS}", name="topic"),
        CheckConstraint(f"mail IN {MAIL_STATES}", name="mail"),
        CheckConstraint("(mail IN ('none', 'queued')) = (mail_begun_at IS NULL)", name="mail_begun_at"),
        Index("ix_notice_person_id", "person_id", "id"),
        Index("ix_notice_created_at", "created_at"),
        Index(
            "ix_notice_unread",
            "person_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    """Part of the mail's Message-ID, so that a mail repeated on the way is known as the same."""
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    topic: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(40))
    """The audit name of the turn, such as `try_awarded`, or the reminder's name."""
    key: Mapped[str] = mapped_column(String(120))
    """Names the turn: kind, try and its row version."""
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"), index=True)
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    mail: Mapped[str] = mapped_column(String(10), default="none")
    """`begun` is written before the mail server is spoken to: a mail of unknown fate is not sent again."""
    mail_begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NoticeChoice(Base):
    """Whether a person gets a topic's notices by mail; without a row they do."""

    __tablename__ = "notice_choice"
    __table_args__ = (CheckConstraint(f"topic IN {NOTICE_TOPICS}", name="topic"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(20), primary_key=True)
    by_mail: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditEvent(Base):
    """Who did what to which thing, and when. Rows are only ever added."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_subject", "subject_type", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """None where the system acted by itself."""
    action: Mapped[str] = mapped_column(String(80))
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(80))
    before: Mapped[str | None] = mapped_column(String(80))
    after: Mapped[str | None] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Facts without personal data: counts, codes, hashes, reasons chosen from a list."""
