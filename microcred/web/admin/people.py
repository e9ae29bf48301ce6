"""People as operators see them: finding one, shutting out, linked accounts, wishes to be erased."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import persons
from microcred.operations.errors import OperationRefused
from microcred.operations.privacy import Grades
from microcred.web.base import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("people", __name__)

STATE_WORDS = {"active": "May come in", "suspended": "Shut out", "erased": "Erased"}
STATE_LOOKS = {"active": ("pass", "done"), "suspended": ("stop", "stop"), "erased": ("notyet", "notyet")}
EVENT_WORDS = {
    "person.link": "Accounts linked",
    "person.unlink": "Link undone",
    "person.suspend": "Shut out",
    "person.restore": "Let in again",
    "person.erase_asked": "Asked to be erased",
    "person.erase_ask_taken_back": "Took the wish to be erased back",
    "person.erase_declined": "Wish to be erased declined",
    "person.erase_begun": "Erasing begun: grades are sent first",
    "person.erase_stopped": "Erasing stopped",
    "person.erase": "Erased",
    "person.export": "Data downloaded",
}
_SAID = {
    "suspended": "Shut out. Open pages end with their next click.",
    "restored": "Let in again.",
    "unlinked": "The link is undone. Each account has its own work again.",
    "erased": "Erased. The files are deleted within a minute.",
    "erasing": "Shut out. Grades are sent first; then everything is erased.",
    "declined": "The wish is answered with no. Nothing was erased.",
}


@blueprint.get("/people")
def index() -> ResponseReturnValue:
    """Find a person by id."""
    text = request.args.get("q", "")[:400]
    with services().database.reading() as session:
        rows = persons.find_people(session, actor(), text)
        waiting = persons.requests(session, actor())
    return render_template("admin/people.html", rows=rows, text=text, waiting=len(waiting), **_words())


@blueprint.get("/people/requests")
def requests() -> ResponseReturnValue:
    """Wishes to be erased."""
    with services().database.reading() as session:
        rows = persons.requests(session, actor())
    return render_template("admin/requests.html", rows=rows, **_words())


@blueprint.get("/people/<public_id>")
def show(public_id: str) -> ResponseReturnValue:
    """One person."""
    return _page(public_id, said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.post("/people/<public_id>/suspend")
def suspend(public_id: str) -> ResponseReturnValue:
    """Shut them out at once."""
    used = services()
    try:
        with used.database.writing() as session:
            persons.suspend(session, actor(), public_id, used.clock.now())
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "suspended")


@blueprint.post("/people/<public_id>/restore")
def restore(public_id: str) -> ResponseReturnValue:
    """Let them in again."""
    used = services()
    try:
        with used.database.writing() as session:
            persons.restore(session, actor(), public_id, used.clock.now())
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "restored")


@blueprint.post("/people/<public_id>/unlink")
def unlink(public_id: str) -> ResponseReturnValue:
    """Undo a link; `account` is the one that leaves."""
    used = services()
    try:
        with used.database.writing() as session:
            account = request.form.get("account", public_id)
            persons.unlink(session, actor(), account, used.clock.now())
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "unlinked")


@blueprint.post("/people/<public_id>/erase")
def erase(public_id: str) -> ResponseReturnValue:
    """Erase them; the box must be ticked."""
    used = services()
    try:
        if request.form.get("sure") != "yes":
            raise OperationRefused("not_sure", "Tick the box to say that you are sure. Nothing was erased.")
        grades = Grades.CANCEL if request.form.get("grades") == Grades.CANCEL else Grades.SEND
        keep = request.form.get("badges") == "keep"
        with used.database.writing() as session:
            result = persons.erase(
                session, actor(), public_id, grades=grades, keep_badges=keep, now=used.clock.now()
            )
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "erased" if result.done else "erasing")


@blueprint.post("/people/<public_id>/decline")
def decline(public_id: str) -> ResponseReturnValue:
    """Answer a wish to be erased with no."""
    used = services()
    with used.database.writing() as session:
        persons.decline(session, actor(), public_id, used.clock.now())
    return _done(public_id, "declined")


def _page(public_id: str, *, said: str = "", problem: str = "") -> str:
    used = services()
    with used.database.reading() as session:
        found = persons.person(session, actor(), public_id, used.clock.now())
    return render_template("admin/person.html", found=found, said=said, problem=problem, **_words())


def _words() -> dict[str, dict[str, str] | dict[str, tuple[str, str]]]:
    return {"state_words": STATE_WORDS, "state_looks": STATE_LOOKS, "event_words": EVENT_WORDS}


def _refused(public_id: str, refused: OperationRefused) -> ResponseReturnValue:
    """The page again with what was wrong; whoever may not see it gets the plain answer."""
    if refused.status != 409:
        raise refused
    return _page(public_id, problem=refused.message), refused.status


def _done(public_id: str, code: str) -> ResponseReturnValue:
    return redirect(page_url("people.show", public_id=public_id, ok=code), 303)
