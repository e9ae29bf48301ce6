"""Tables of badges: issuer keys, issued badges with their renderings, status lists."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, UtcDateTime, random_id

JsonDocument = JSON(none_as_null=True)
"""A signed document. Plain JSON on both databases: PostgreSQL's JSONB would reorder what was signed and
served.
"""


class IssuerKey(Base):
    """An Ed25519 key of an issuing organization; the private half is encrypted with the key at rest. Old keys
    stay listed.
    """

    __tablename__ = "issuer_key"
    __table_args__ = (
        UniqueConstraint("organization_id", "fragment"),
        Index(
            "uq_issuer_key_current",
            "organization_id",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    fragment: Mapped[str] = mapped_column(String(120))
    """The verification method's fragment, the multibase public key."""
    sealed_private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StatusList(Base):
    """A Bitstring status list of one issuer. Bits are derived from revoked badges; only the signed document
    is kept.
    """

    __tablename__ = "status_list"

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    size: Mapped[int] = mapped_column(Integer)
    issued: Mapped[int] = mapped_column(Integer, default=0)
    """How many indexes are taken; a list is closed at half its size, so that random indexes stay cheap."""
    credential: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    """None when a revocation came since it was signed: the next reader signs it anew."""
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Badge(Base):
    """An issued badge: the signed documents of one award, as they are served.

    The row is made first, with its address and its place in a status list, so that a repeated try signs the
    same badge.
    """

    __tablename__ = "badge"
    __table_args__ = (
        UniqueConstraint("status_list_id", "status_index"),
        CheckConstraint("status_index >= 0", name="status_index"),
        CheckConstraint(
            "(issued_at IS NULL) = (ob3 IS NULL) AND (issued_at IS NULL) = (ob2_assertion IS NULL)"
            " AND (issued_at IS NULL) = (image_key IS NULL)",
            name="issued_whole",
        ),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"), unique=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    """The award's own: in `/badges/<id>`, `/ob/3.0/credentials/<id>` and `/ob/2.0/assertions/<id>`."""
    status_list_id: Mapped[int] = mapped_column(ForeignKey("status_list.id"))
    status_index: Mapped[int] = mapped_column(Integer)
    recipient_salt: Mapped[str] = mapped_column(String(40), default=random_id)
    ob3: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    ob2_assertion: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    image_key: Mapped[str | None] = mapped_column(String(200))
    """Where the baked PNG is stored."""
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """`validFrom` of the newest rendering; the award keeps the first date."""


class KeptBadge(Base):
    """An erased holder wanted this badge's page to stay, without a name."""

    __tablename__ = "kept_badge"

    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"), primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime)
