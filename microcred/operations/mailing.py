"""One notice as a mail: composed when it is sent, to the address that counts then, and sent at most once.

The outbox row names the notice alone, so no address waits in a queue. `Notice.mail` becomes `begun` before
the mail server is spoken to. If the fate of a mail is unknown (the worker died, or the line broke after the
text), it is not sent again by itself: the notice stands on the person's page all the same.
"""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.models import Context, Deployment, Registration
from microcred import outbox
from microcred.credentials.models import Attempt, Pursuit
from microcred.database import Clock, Database
from microcred.mail import Mailer, MailFailed, address_of, offer_unsubscribing
from microcred.operations import mail_choice
from microcred.operations.notice_words import OBLIGATORY
from microcred.operations.notifying import wants_mail
from microcred.people import ids_of
from microcred.people.models import ContactAddress, Notice, Person
from microcred.placements import Placement
from microcred.sealing import Keyring

_WHY = "You get this because you work with micro-credentials."
_ALWAYS = (
    f"{_WHY} Decisions against you are mailed whatever you chose, since you may appeal for some days only."
)
_CHOICE = f"{_WHY} Fewer mails, without signing in:"
_OWNERS = ("my_work", "reminders")


@dataclass(frozen=True)
class Letter:
    """What a mail says, and to whom."""

    public_id: str
    to: str
    subject: str
    body: str
    where: str
    """Where to open it, in words."""
    url: str | None
    """An address to open, for people who work at the desk."""
    written_at: datetime
    choice_url: str | None
    """Where to stop such mails without signing in; None for one that is obligatory."""


def handler(
    database: Database,
    clock: Clock,
    mailer: Mailer | None,
    keyring: Keyring,
    *,
    sender: str,
    public_url: str,
) -> outbox.Handler:
    """Handler of kind `mail`. Without a mailer, mails are not sent and the row ends as `mail_off`."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        notice_id = int(job.payload["notice"])
        if mailer is None:
            return outbox.Superseded(reason="mail_off", record=_settled(notice_id, "none"))
        with database.writing() as session:
            begun = _begin(session, notice_id, keyring, public_url, clock.now())
        if isinstance(begun, outbox.Outcome):
            return begun
        try:
            mailer.send(message_of(begun, sender))
        except MailFailed as failed:
            if failed.is_unknown:
                return outbox.Unverified(reason=failed.code, record=_settled(notice_id, "unknown"))
            record = _settled(notice_id, "queued")
            if failed.code == "mail_address_refused" and failed.is_final:
                return outbox.Blocked(reason=failed.code, record=record)
            # A refused login or certificate is the operator's to mend; the mails wait for it.
            return outbox.Retry(reason=failed.code, record=record)
        return outbox.Delivered(record=_settled(notice_id, "sent"))

    return handle


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """The mail: plain text and the same as short HTML. The same letter gives the same headers and text."""
    message = EmailMessage()
    message["From"] = f"Micro-credentials <{sender}>"
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.public_id}@{sender.rpartition('@')[2]}>"
    # RFC 3834: no out-of-office answers to these.
    message["Auto-Submitted"] = "auto-generated"
    if letter.choice_url is not None:
        offer_unsubscribing(message, letter.choice_url)
    where = f"{letter.where} {letter.url}" if letter.url else letter.where
    message.set_content(f"{letter.subject}\n\n{letter.body}\n\n{where}\n\n-- \n{_footer(letter)}\n")
    link = f' <a href="{escape(letter.url)}">{escape(letter.url)}</a>' if letter.url else ""
    footer = str(escape(_ALWAYS))
    if letter.choice_url is not None:
        footer = f'{escape(_WHY)} <a href="{escape(letter.choice_url)}">Fewer mails, without signing in</a>'
    html = (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;max-width:36em">'
        f'<h1 style="font-size:1.2em">{escape(letter.subject)}</h1><p>{escape(letter.body)}</p>'
        f'<p>{escape(letter.where)}{link}</p><p style="color:#555;font-size:.85em">{footer}</p>'
        "</body></html>"
    )
    message.add_alternative(html, subtype="html")
    return message


def _footer(letter: Letter) -> str:
    return _ALWAYS if letter.choice_url is None else f"{_CHOICE}\n{letter.choice_url}"


def _begin(
    session: Session, notice_id: int, keyring: Keyring, public_url: str, now: datetime
) -> Letter | outbox.Outcome:
    """Mark the mail as begun and compose it; or say why it is not sent."""
    notice = session.scalar(select(Notice).where(Notice.id == notice_id).with_for_update())
    if notice is None:  # erased meanwhile
        return outbox.Superseded(reason="no_notice")
    if notice.mail == "sent":
        return outbox.Superseded(reason="sent_before")
    if notice.mail == "begun":
        return outbox.Unverified(reason="mail_fate_unknown", record=_settled(notice_id, "unknown"))
    address = address_for(session, notice.person_id)
    if address is None:
        return outbox.Superseded(reason="no_address", record=_settled(notice_id, "none"))
    if not wants_mail(session, notice.person_id, notice.topic, notice.kind):
        return outbox.Superseded(reason="not_wanted", record=_settled(notice_id, "none"))
    notice.mail, notice.mail_begun_at = "begun", now
    where, url = _place(session, notice, public_url)
    choice_url = None
    if notice.kind not in OBLIGATORY:
        person = session.get_one(Person, notice.person_id)
        choice_url = f"{public_url}{mail_choice.PATH}?t={mail_choice.secret(keyring, person, notice.topic)}"
    return Letter(
        notice.public_id, address, notice.title, notice.body, where, url, notice.created_at, choice_url
    )


def _settled(notice_id: int, state: str) -> outbox.outcomes.Record:
    def record(session: Session) -> None:
        notice = session.get(Notice, notice_id)
        if notice is not None:
            notice.mail = state
            if state in ("none", "queued"):
                notice.mail_begun_at = None

    return record


def address_for(session: Session, person_id: int) -> str | None:
    """Where mail reaches a person: a confirmed address, else what their LMS or the operator said."""
    ids = ids_of(session, person_id)
    confirmed = session.scalars(
        select(ContactAddress.address)
        .where(ContactAddress.person_id.in_(ids), ContactAddress.confirmed_at.is_not(None))
        .order_by(ContactAddress.confirmed_at.desc(), ContactAddress.id)
    )
    said = session.scalars(
        select(Person.email)
        .where(Person.id.in_(ids), Person.email.is_not(None))
        .order_by(Person.id != person_id, Person.id)
    )
    for text in (*confirmed, *said):
        if text is not None and (usable := address_of(text)) is not None:
            return usable
    return None


def _place(session: Session, notice: Notice, public_url: str) -> tuple[str, str | None]:
    """Where to open it: a teacher's course by name, else the desk."""
    if notice.topic in _OWNERS and notice.attempt_id is not None:
        names = session.execute(
            select(Context.title, Registration.name)
            .select_from(Attempt)
            .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
            .join(Placement, Placement.id == Pursuit.placement_id)
            .join(Deployment, Deployment.id == Placement.deployment_id)
            .join(Registration, Registration.id == Deployment.registration_id)
            .outerjoin(Context, Context.id == Placement.context_id)
            .where(Attempt.id == notice.attempt_id)
        ).one()
        course = f"your course “{names.title}” in {names.name}" if names.title else names.name
        return f"Open it from {course}.", None
    return "Open it from your course, or at your desk:", f"{public_url}/desk/notices"
