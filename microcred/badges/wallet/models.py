"""The table of offers to wallets."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, UtcDateTime, random_id


class WalletOffer(Base):
    """One badge, offered to whatever wallet shows the code first. Only digests of its secrets are kept."""

    __tablename__ = "wallet_offer"
    __table_args__ = (
        CheckConstraint("(token_digest IS NULL) = (token_expires_at IS NULL)", name="token"),
        CheckConstraint("(taken_at IS NULL) = (holder IS NULL)", name="taken"),
        CheckConstraint("wrong_codes >= 0 AND (needs_code OR wrong_codes = 0)", name="wrong_codes"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    """In the address of the offer; whoever has it may take the badge, once."""
    award_id: Mapped[int] = mapped_column(ForeignKey("award.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the access token that the code was exchanged for; a code works once."""
    token_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    needs_code: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Whether the wallet must also give the transaction code that stands on the holder's page."""
    wrong_codes: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    """How often a wrong one was given; after a few the offer is void."""
    holder: Mapped[str | None] = mapped_column(Text)
    """The wallet's DID, to which the copy was bound."""
