"""Tables of badges: issuer keys, issued badges with their renderings, status lists."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, UtcDateTime, random_id

JsonDocument = JSON(none_as_null=True)
"""A signed document. Plain JSON on both databases: PostgreSQL's JSONB would reorder what was signed and
served.
"""


class IssuerKey(Base):
    """A key of an issuing organization; the private half is encrypted with the key at rest. Old keys stay
    listed. Ed25519 signs documents, RS256 signs their VC-JWT renderings.
    """

    __tablename__ = "issuer_key"
    __table_args__ = (
        UniqueConstraint("organization_id", "fragment"),
        Index(
            "uq_issuer_key_current",
            "organization_id",
            "algorithm",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        CheckConstraint("algorithm IN ('Ed25519', 'RS256')", name="algorithm"),
        CheckConstraint("(algorithm = 'RS256') = (public_jwk IS NOT NULL)", name="rsa_has_jwk"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    fragment: Mapped[str] = mapped_column(String(120))
    """The multibase public key, which is its verification method's fragment; of an RSA key its thumbprint
    (RFC 7638).
    """
    algorithm: Mapped[str] = mapped_column(String(10), default="Ed25519")
    public_jwk: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
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
        CheckConstraint("ob2_jws IS NULL OR issued_at IS NOT NULL", name="signed_after_issue"),
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
    jwt: Mapped[str | None] = mapped_column(Text)
    """The VC-JWT; None where the holder shows no id of their own (it needs a subject)."""
    ob2_jws: Mapped[str | None] = mapped_column(Text)
    """The OB 2.0 assertion as JWS, of this very copy; None until somebody has asked for it."""
    image_key: Mapped[str | None] = mapped_column(String(200))
    """Where the baked PNG is stored."""
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """`validFrom` of the newest rendering; the award keeps the first date."""


class KeptBadge(Base):
    """An erased holder wanted this badge's page to stay, without a name."""

    __tablename__ = "kept_badge"

    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"), primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HoldersChoice(Base):
    """What a holder shows with a badge beyond what it always says. Without a row: nothing."""

    __tablename__ = "holders_choice"
    __table_args__ = (
        CheckConstraint(
            "(shared_prompt IS NULL) = (shared_title IS NULL)"
            " AND (shared_prompt IS NULL) = (shared_text IS NULL)",
            name="shared_whole",
        ),
    )

    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"), primary_key=True)
    shared_prompt: Mapped[str | None] = mapped_column(String(60))
    """The prompt whose answer is shown, with the words as they were when the holder chose them."""
    shared_title: Mapped[str | None] = mapped_column(Text)
    shared_text: Mapped[str | None] = mapped_column(Text)
    recognised_by_email: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Whether confirmed addresses are among the identifiers, each as a salted hash."""
    shown_address_id: Mapped[int | None] = mapped_column(ForeignKey("contact_address.id"))
    """A confirmed address that the file names openly, as `mailto:`."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Endorsement(Base):
    """An issuer or a university stands behind a credential version: its signed EndorsementCredential."""

    __tablename__ = "endorsement"
    __table_args__ = (UniqueConstraint("version_id", "organization_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    version_id: Mapped[int] = mapped_column(ForeignKey("credential_version.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    comment: Mapped[str] = mapped_column(Text)
    credential: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    endorsed_at: Mapped[datetime] = mapped_column(UtcDateTime)
