"""Mails to a person's own address: the link that confirms it, and a badge with its file."""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges.public_award import BadgeGone, NoSuchBadge
from microcred.badges.store import BadgeStore
from microcred.database import Clock, Database
from microcred.mail import Mailer, MailFailed
from microcred.operations.own_addresses import link_secret
from microcred.outbox import OutboxRow
from microcred.people.models import ContactAddress
from microcred.sealing import Keyring

CONFIRM_PATH = "/address"


@dataclass(frozen=True)
class OwnMails:
    """Handler of outbox kind `own_mail`. Without a mailer nothing is sent and the row ends as `mail_off`."""

    database: Database
    clock: Clock
    keyring: Keyring
    badges: BadgeStore
    mailer: Mailer | None
    sender: str
    public_url: str

    def deliver(self, job: outbox.Job) -> outbox.Outcome:
        """Compose and send one mail. If its fate is unknown, it is not sent again by itself."""
        if self.mailer is None:
            return outbox.Superseded(reason="mail_off")
        if "begun" in job.payload:
            return outbox.Unverified(reason="mail_fate_unknown")
        with self.database.reading() as session:
            row = session.get(ContactAddress, int(job.payload["address"]))
        if row is None:
            return outbox.Superseded(reason="address_gone")
        message = self._message(job, row)
        if message is None:
            return outbox.Superseded(reason="no_badge")
        self._note(job.id, begun=True)
        try:
            self.mailer.send(message)
        except MailFailed as failed:
            if failed.is_unknown:
                return outbox.Unverified(reason=failed.code)
            forget = self._forgotten(job)
            if failed.is_final:
                return outbox.Blocked(reason=failed.code, record=forget)
            return outbox.Retry(reason=failed.code, record=forget)
        return outbox.Delivered()

    def _message(self, job: outbox.Job, row: ContactAddress) -> EmailMessage | None:
        message = EmailMessage()
        message["From"] = f"Micro-credentials <{self.sender}>"
        message["To"] = row.address
        message["Date"] = format_datetime(job.created_at)
        message["Message-ID"] = (
            f"<own-{job.id}-{int(job.created_at.timestamp())}@{self.sender.rpartition('@')[2]}>"
        )
        message["Auto-Submitted"] = "auto-generated"
        if job.payload["what"] == "confirm":
            url = f"{self.public_url}{CONFIRM_PATH}?t={link_secret(self.keyring, row, job.created_at)}"
            message["Subject"] = "Confirm your address"
            message.set_content(
                "Somebody who earned a micro-credential gave this address as their own.\n\n"
                f"If that was you, open this link within three days and confirm:\n{url}\n\n"
                "If it was not, do nothing: the address is used for nothing.\n"
            )
            return message
        return self._with_badge(message, str(job.payload["award"]))

    def _with_badge(self, message: EmailMessage, award_id: str) -> EmailMessage | None:
        try:
            award = self.badges.public_award(award_id)
            picture = self.badges.baked(award_id)
        except (NoSuchBadge, BadgeGone):
            return None
        name = award.definition.document.badge.name
        message["Subject"] = " ".join(f"Your badge {name}".split())
        message.set_content(
            f"Here is your badge {name}, awarded by {award.issuer_name}.\n\n"
            "The picture holds the proof; keep the file as it is, and add it to any backpack.\n\n"
            f"Anyone can check it here, without an account:\n{self.badges.addresses.page(award_id)}\n"
        )
        message.add_attachment(picture, maintype="image", subtype="png", filename=f"badge-{award_id}.png")
        return message

    def _note(self, row_id: int, *, begun: bool) -> None:
        with self.database.writing() as session:
            row = session.get_one(OutboxRow, row_id)
            row.payload = {**row.payload, "begun": begun}

    def _forgotten(self, job: outbox.Job) -> Callable[[Session], None]:
        def record(session: Session) -> None:
            row = session.get_one(OutboxRow, job.id)
            row.payload = {name: value for name, value in row.payload.items() if name != "begun"}

        return record
