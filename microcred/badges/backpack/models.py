"""Tables of backpacks: hosts we are known to, sign-ins under way, connections, where each badge stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, Json, UtcDateTime, random_id

BACKPACK_STATES = ("connected", "needs_reconnect", "disconnected")
PUSH_STATES = ("queued", "sent", "already_there", "needs_reconnect", "refused")


class BackpackHost(Base):
    """A host of backpacks at which this installation is registered."""

    __tablename__ = "backpack_host"
    __table_args__ = (CheckConstraint("protocol IN ('ob2.1', 'ob3')", name="protocol"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    """In the redirect address, so that an answer of one host is never taken for another's (RFC 9700, 4.4)."""
    address: Mapped[str] = mapped_column(String(300), unique=True)
    """As people name it."""
    protocol: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(100))
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    """Its addresses, as it said them: the fields of `hosts.HostFacts`."""
    sealed_client: Mapped[bytes] = mapped_column(LargeBinary)
    """Client id and secret, encrypted."""
    redirect_uri: Mapped[str] = mapped_column(Text)
    """What was registered; another public address of the tool needs another registration."""
    client_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    met_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was asked for its facts last."""


class BackpackSignIn(Base):
    """Somebody is connecting a backpack: from the button to the answer of the host, once.

    The way leads through a window of its own. What binds it to one browser is a cookie of that window; state
    and PKCE verifier are derived from it, so nothing that could be replayed is kept here.
    """

    __tablename__ = "backpack_sign_in"
    __table_args__ = (
        CheckConstraint("(opened_at IS NULL) = (browser_digest IS NULL)", name="opened"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed"),
        Index("ix_backpack_sign_in_person", "person_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    ticket_digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the secret in the address that opens the window."""
    browser_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the window's cookie."""
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    host_id: Mapped[int] = mapped_column(ForeignKey("backpack_host.id"))
    award_id: Mapped[int | None] = mapped_column(ForeignKey("award.id"))
    """The badge from whose page it began; it is sent first."""
    sends_by_itself: Mapped[bool] = mapped_column(Boolean, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(40))


class Backpack(Base):
    """One person's backpack at one host."""

    __tablename__ = "backpack"
    __table_args__ = (
        UniqueConstraint("person_id", "host_id"),
        CheckConstraint(f"state IN {BACKPACK_STATES}", name="state"),
        CheckConstraint("(state = 'disconnected') = (sealed_tokens IS NULL)", name="tokens"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    host_id: Mapped[int] = mapped_column(ForeignKey("backpack_host.id"))
    state: Mapped[str] = mapped_column(String(20))
    sends_by_itself: Mapped[bool] = mapped_column(Boolean, server_default=true())
    """New badges and newer copies go there without being asked."""
    sealed_tokens: Mapped[bytes | None] = mapped_column(LargeBinary)
    tokens_expire_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the access token ends; None where the host did not say."""
    renewing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Somebody is using the refresh token just now: a rotated one works once."""
    connected_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BackpackPush(Base):
    """Where one badge stands with one backpack."""

    __tablename__ = "backpack_push"
    __table_args__ = (
        UniqueConstraint("award_id", "backpack_id"),
        CheckConstraint(f"state IN {PUSH_STATES}", name="state"),
        CheckConstraint("state <> 'refused' OR reason IS NOT NULL", name="refused_has_reason"),
        Index(
            "ix_backpack_push_stopped",
            "backpack_id",
            sqlite_where=text("state = 'needs_reconnect'"),
            postgresql_where=text("state = 'needs_reconnect'"),
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"))
    backpack_id: Mapped[int] = mapped_column(ForeignKey("backpack.id"))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(60))
    """What happened last, as a code: why it was refused, or why it still waits."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
