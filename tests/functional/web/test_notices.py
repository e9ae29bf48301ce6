"""Notices: who hears what at which turn, on the page and by mail, once."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from microcred.credentials.models import Attempt, Review
from microcred.credentials.steps import TABLE, SendMail
from microcred.operations import assigning, awards, privacy, review
from microcred.operations.notice_words import TURNS
from microcred.outbox import OutboxRow
from microcred.people.models import AuditEvent, LmsIdentity, Notice, NoticeChoice, Person
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.test_submitting import PASSING, REVISE
from tests.functional.web.work import complete, submit, write


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    return tmp_path / "mails"


@pytest.fixture
def course(migrated_sqlite_url: str, tmp_path: Path, mails: Path) -> Iterator[Course]:
    made = build(migrated_sqlite_url, tmp_path, MovingClock(), mail_url=f"file://{mails}")
    yield made
    made.assembly.close()


@pytest.fixture
def teacher(course: Course) -> Visitor:
    visitor = begin(course)
    complete(visitor, course)
    return visitor


def begin(course: Course, *, test_user: bool = False) -> Visitor:
    """A teacher with a mail address who has opened the credential."""
    person = course.person("Terry Teacher")
    with course.assembly.database.writing() as session:
        session.get_one(Person, person[0]).email = "terry@school.example"
    visitor = course.visitor(person, test_user=test_user)
    visitor.get()
    return visitor


def identity_of(course: Course, person_id: int) -> int:
    with course.assembly.database.reading() as session:
        return session.scalars(select(LmsIdentity.id).where(LmsIdentity.person_id == person_id)).one()


def work(course: Course, times: int = 3) -> None:
    """Do what is due now, and what follows from it."""
    for _ in range(times):
        course.assembly.make_worker().run_due()


def arrived(mails: Path) -> list[EmailMessage]:
    files = sorted(mails.glob("*.eml")) if mails.exists() else []
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def subjects(mails: Path) -> list[str]:
    return sorted(str(mail["Subject"]) for mail in arrived(mails))


def told(course: Course, person_id: int) -> list[str]:
    with course.assembly.database.reading() as session:
        return list(
            session.scalars(select(Notice.kind).where(Notice.person_id == person_id).order_by(Notice.id))
        )


def test_every_turn_that_somebody_hears_about_has_words() -> None:
    wanted = {
        (row.audit, follow.to) for row in TABLE for follow in row.follows if isinstance(follow, SendMail)
    }
    assert wanted <= set(TURNS)


def test_a_teacher_hears_of_every_turn_of_their_work(teacher: Visitor, course: Course, mails: Path) -> None:
    submit(teacher)
    course.judge(teacher.person_id, REVISE)
    page = teacher.get("notices").text
    assert "Revisions needed in “Helping Students Generate and Shape Ideas”" in page
    assert page.index("Revisions needed") < page.index("We have your evidence")
    assert "You will have a decision by Monday, October 5." in page
    submit(teacher)
    course.judge(teacher.person_id, {"p1-c1": "strong", "p1-c2": "passing", "p4-c1": "passing"})
    work(course)
    assert told(course, teacher.person_id) == [
        "try_submitted",
        "revisions_requested",
        "try_submitted",
        "try_awarded",
    ]
    mine = [mail for mail in arrived(mails) if mail["To"] == "terry@school.example"]
    assert len(mine) == 4


def test_a_mail_is_short_and_says_nothing_of_the_work(teacher: Visitor, course: Course, mails: Path) -> None:
    submit(teacher)
    course.judge(teacher.person_id, REVISE, comment="Maria counted them in the video.")
    work(course)
    for mail in arrived(mails):
        text = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        assert text is not None
        assert html is not None
        for words in (text.get_content(), html.get_content()):
            assert "Maria" not in words
            assert "Terry" not in words
            assert "ideas alone first" not in words
            assert len(words) < 1500
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "your course “Demo course” in Demo LMS" in text.get_content()


def test_the_bell_counts_until_the_page_was_opened(teacher: Visitor, course: Course) -> None:
    assert 'class="count"' not in teacher.get().text
    submit(teacher)
    assert '<span class="count">1<span class="visually-hidden"> new</span></span>' in teacher.get().text
    assert "New</span>" in teacher.get("notices").text
    assert 'class="count"' not in teacher.get().text
    assert "New</span>" not in teacher.get("notices").text


def test_somebody_elses_notices_are_theirs(teacher: Visitor, course: Course) -> None:
    submit(teacher)
    other = course.visitor()
    assert "Nothing yet" in other.get("notices").text


def test_a_topic_that_is_not_wanted_stays_on_the_page(teacher: Visitor, course: Course, mails: Path) -> None:
    form = {"topic": ["my_work", "reminders"], "by_mail": ["reminders"]}
    assert teacher.post("notices", form).status_code == 303
    assert "Your choice is saved" in teacher.get("notices?ok=chosen").text
    submit(teacher)
    work(course)
    assert told(course, teacher.person_id) == ["try_submitted"]
    assert subjects(mails) == []


def test_a_choice_made_before_the_mail_left_holds(teacher: Visitor, course: Course, mails: Path) -> None:
    submit(teacher)
    teacher.post("notices", {"topic": ["my_work"], "by_mail": []})
    work(course)
    assert subjects(mails) == []


def ask(course: Course, link: str, **form: str | list[str]) -> TestResponse:
    """Open a mail's link, or post to it from elsewhere, with no cookie at all."""
    client = course.app.test_client(use_cookies=False)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    return client.post(link, data=form, headers=headers) if form else client.get(link)


def test_mails_stop_by_one_click_of_the_mail_program_but_not_decisions_against_somebody(
    teacher: Visitor, course: Course, mails: Path
) -> None:
    submit(teacher)
    work(course)
    (file,) = mails.glob("*.eml")
    raw = file.read_bytes().decode()
    address = r"<http://127\.0\.0\.1:5000(/mail/choice\?t=[\w-]+)>"
    (link,) = re.findall(rf"^List-Unsubscribe: {address}\r$", raw, re.M)
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    (mail,) = arrived(mails)
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert link in body.get_content()

    page = ask(course, link)  # a scanner that opens links stops nothing
    assert "No more mails about “My work”" in page.text
    assert "Terry" not in page.text
    assert "school.example" not in page.text
    assert ask(course, f"{link}x", **{"List-Unsubscribe": "One-Click"}).status_code == 403
    assert ask(course, "/mail/choice").status_code == 403
    for _ in range(2):
        assert ask(course, link, **{"List-Unsubscribe": "One-Click"}).status_code == 200
    with course.assembly.database.reading() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "mail.choice")).all()
    assert [(one.actor_id, one.detail["my_work"]) for one in events] == [(teacher.person_id, False)]
    assert 'id="t-my_work" name="by_mail" value="my_work">' in teacher.get("notices").text

    teacher.post("withdraw")
    submit(teacher)
    work(course)
    assert len(arrived(mails)) == 1
    course.judge(teacher.person_id, PASSING)
    work(course)
    assert len(arrived(mails)) == 1
    approver, public_id = course.officer("approver"), course.attempt(teacher.person_id).public_id
    with course.assembly.database.writing() as session:
        awards.revoke(session, approver, public_id, "mistake", "It was another try.", now=course.clock.now())
    work(course)
    assert len(arrived(mails)) == 2
    against = next(mail for mail in arrived(mails) if "was withdrawn" in str(mail["Subject"]))
    assert against["List-Unsubscribe"] is None
    text = against.get_body(("plain",))
    assert text is not None
    assert "mailed whatever you chose" in " ".join(text.get_content().split())


def test_the_link_of_a_mail_opens_the_whole_choice(teacher: Visitor, course: Course, mails: Path) -> None:
    submit(teacher)
    work(course)
    (mail,) = arrived(mails)
    link = str(mail["List-Unsubscribe"]).strip("<>")
    page = ask(course, link).text
    assert "Reminders" in page
    assert "Reviews" not in page  # an office that this person does not hold
    saved = ask(course, link, choose="yes", by_mail=["my_work", "decisions"])
    assert "Saved." in saved.text
    with course.assembly.database.reading() as session:
        kept = {row.topic: row.by_mail for row in session.scalars(select(NoticeChoice))}
    assert kept == {"reminders": False}
    privacy_erased(course, teacher.person_id)
    assert ask(course, link).status_code == 403


def privacy_erased(course: Course, person_id: int) -> None:
    with course.assembly.database.writing() as session:
        privacy.erase(
            session,
            person_id,
            grades=privacy.Grades.CANCEL,
            keep_badges=False,
            by=None,
            now=course.clock.now(),
        )


def test_test_users_get_no_mail(course: Course, mails: Path) -> None:
    visitor = begin(course, test_user=True)
    complete(visitor, course)
    submit(visitor)
    course.clock.move(days=30)
    work(course)
    assert "try_submitted" in told(course, visitor.person_id)
    assert subjects(mails) == []


def test_without_an_address_the_notice_stands_on_the_page(course: Course, mails: Path) -> None:
    visitor = course.visitor()
    visitor.get()
    complete(visitor, course)
    submit(visitor)
    work(course)
    assert "does not tell us a mail address" in visitor.get("notices").text
    assert subjects(mails) == []
    assert not stuck(course)


def stuck(course: Course) -> list[str | None]:
    with course.assembly.database.reading() as session:
        query = select(OutboxRow.reason).where(
            OutboxRow.kind == "mail", OutboxRow.state.not_in(("delivered", "superseded"))
        )
        return list(session.scalars(query))


def test_a_mail_of_unknown_fate_is_not_sent_again(teacher: Visitor, course: Course, mails: Path) -> None:
    """A worker died between the mail server and the database."""
    submit(teacher)
    with course.assembly.database.writing() as session:
        session.execute(
            update(Notice)
            .where(Notice.person_id == teacher.person_id)
            .values(mail="begun", mail_begun_at=course.clock.now())
        )
    work(course)
    assert subjects(mails) == []
    assert stuck(course) == ["mail_fate_unknown"]


def test_a_reviewers_pool_hears_that_work_waits_once_in_a_while(course: Course, mails: Path) -> None:
    reviewer = course.officer("reviewer").person_id
    for _ in range(3):
        visitor = course.visitor()
        visitor.get()
        complete(visitor, course)
        submit(visitor)
        work(course)
    assert told(course, reviewer) == ["reviews_wait"]
    course.clock.move(hours=5)
    work(course)
    assert told(course, reviewer) == ["reviews_wait", "reviews_wait"]


def test_whoever_has_a_review_hears_a_day_before_it_is_due_and_once_more(
    teacher: Visitor, course: Course
) -> None:
    submit(teacher)
    reviewer = course.officer("reviewer")
    with course.assembly.database.writing() as session:
        review.start(session, reviewer, course.attempt(teacher.person_id).public_id, course.clock.now())
    course.clock.move(days=5)
    work(course)
    assert told(course, reviewer.person_id) == []
    course.clock.move(days=1, hours=14)  # Sunday night: the decision is due on Monday
    work(course)
    assert told(course, reviewer.person_id) == ["decision_due"]
    for _ in range(5):
        course.clock.move(days=1)
        work(course)
    # The day was moved and announced, so it came near a second time. Days passed before the worker ran: that
    # the first one was missed may be said as well.
    heard = [kind for kind in told(course, reviewer.person_id) if kind != "decision_overdue"]
    assert heard[:2] == ["decision_due", "decision_due"]


def test_whoever_was_given_a_review_on_the_last_day_is_not_reminded_of_it_as_well(
    teacher: Visitor, course: Course
) -> None:
    submit(teacher)
    taker, given = course.officer("reviewer"), course.officer("reviewer")
    attempt = course.attempt(teacher.person_id)
    with course.assembly.database.writing() as session:
        review.start(session, taker, attempt.public_id, course.clock.now())
    course.clock.move(days=5)
    work(course)
    course.clock.move(days=1, hours=13)
    with course.assembly.database.writing() as session:
        before = session.scalars(select(Review).where(Review.attempt_id == attempt.id)).one()
        assigning.release(before, "late", course.clock.now())
        again = session.get_one(Attempt, attempt.id)
        assigning.assign(session, again, given.person_id, course.clock.now(), place="first", because=None)
    course.clock.move(hours=1)  # Sunday night: the decision is due on Monday
    work(course)
    assert told(course, given.person_id) == told(course, taker.person_id) == []


def test_a_decision_in_time_needs_no_reminder(teacher: Visitor, course: Course) -> None:
    submit(teacher)
    course.judge(teacher.person_id, PASSING)
    course.clock.move(days=10)
    work(course)
    assert told(course, teacher.person_id) == ["try_submitted", "try_awarded"]


def test_a_draft_nobody_touches_is_remembered_three_times(course: Course, mails: Path) -> None:
    visitor = begin(course)
    for _ in range(30):
        course.clock.move(days=7)
        work(course)
    kinds = told(course, visitor.person_id)
    assert len(kinds) == 3
    assert subjects(mails) == ["Your draft of “Helping Students Generate and Shape Ideas” waits"] * 3


def test_work_on_a_draft_puts_the_reminder_off(teacher: Visitor, course: Course) -> None:
    course.clock.move(days=10)
    again = course.visitor((teacher.person_id, identity_of(course, teacher.person_id)))
    assert write(again, "p4", "p4-q1", "Anew.", revision=1).status_code == 303
    course.clock.move(days=6)
    work(course)
    assert told(course, teacher.person_id) == []
    course.clock.move(days=9)
    work(course)
    assert len(told(course, teacher.person_id)) == 1


def test_open_revisions_are_remembered(teacher: Visitor, course: Course, mails: Path) -> None:
    submit(teacher)
    course.judge(teacher.person_id, REVISE)
    course.clock.move(days=8)
    work(course)
    assert "Your revisions of “Helping Students Generate and Shape Ideas” wait" in subjects(mails)


def test_a_taken_back_try_is_not_late(teacher: Visitor, course: Course) -> None:
    submit(teacher)
    teacher.post("withdraw")
    course.clock.move(days=9)
    work(course)
    assert told(course, teacher.person_id) == ["try_submitted", "try_withdrawn"]


def test_a_notice_never_names_a_credential_as_markup(teacher: Visitor, course: Course) -> None:
    with course.assembly.database.writing() as session:
        attempt = session.scalars(select(Attempt)).first()
        assert attempt is not None
        session.add(
            Notice(
                person_id=teacher.person_id,
                topic="my_work",
                kind="try_awarded",
                key="k",
                attempt_id=attempt.id,
                title="You earned “<b>{due}</b>”",
                body="x",
                created_at=course.clock.now(),
            )
        )
    assert "&lt;b&gt;{due}&lt;/b&gt;" in teacher.get("notices").text
