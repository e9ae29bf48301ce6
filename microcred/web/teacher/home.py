"""The credential's home, what others see of it, feedback, and the badge page."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.protocol.names import DATA_PRIVACY_REQUEST, SUBMISSION_REVIEW_REQUEST
from lti_tool.sessions import PageSession
from microcred.credentials.codes import permissions_needed, student_codes
from microcred.credentials.completeness import next_part
from microcred.credentials.definition import Definition
from microcred.credentials.steps import State
from microcred.operations import (
    appealing,
    arriving,
    asking,
    bringing,
    reading_feedback,
    reading_teacher,
    teacher,
)
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_teacher import NotStarted
from microcred.web.base import wording
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint, said


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Where things stand and what is next; the first visit of a learner starts the first try."""
    who = actor()
    if who.launch is not None and who.launch.deep_linking is not None:
        return redirect(page_url("choosing.choose"), 303)
    if who.launch is not None and who.launch.message_type == DATA_PRIVACY_REQUEST:
        return redirect(page_url("privacy.page"), 303)
    if who.launch is not None and _is_about_another(who.launch):
        return redirect(page_url("course.learner"), 303)
    if not _settle():
        return redirect(page_url("choosing.choose"), 303) if "place" in who.rights else _nothing_here()
    if "submit" not in who.rights:
        return preview()
    try:
        with services().database.reading() as session:
            found = reading_teacher.current_try(session, who)
    except NotStarted:
        with services().database.reading() as session:
            offered = bringing.offer(session, who) if "afresh" not in request.args else None
        if offered is not None:
            return render_template("teacher/bring.html", offered=offered)
        try:
            with services().database.writing() as session:
                teacher.open_pursuit(session, who, services().clock.now())
        except OperationRefused as refused:
            if refused.code != "not_open_yet":
                raise
            return preview()
        with services().database.reading() as session:
            found = reading_teacher.current_try(session, who)
    with services().database.reading() as session:
        loaded = reading_teacher.load(session, who)
        may_ask = asking.may_ask(session, loaded)
        asked = asking.asked(session, loaded, may_ask) if may_ask else None
        appeal = appealing.standing(session, loaded, services().clock.now())
    return render_template(
        "teacher/home.html",
        definition=found.definition,
        work=found,
        next_part=next_part(found.progress),
        said=said(request.args.get("ok")),
        needs=_needs(found.definition),
        State=State,
        may_ask=may_ask,
        asked=asked,
        appeal=appeal,
    )


@blueprint.post("/bring")
def bring() -> ResponseReturnValue:
    """Bring the draft of another course along."""
    with services().database.writing() as session:
        bringing.bring_along(session, actor(), services().clock.now())
    return redirect(page_url("teacher.home", ok="brought"), 303)


@blueprint.errorhandler(NotStarted)
def not_started(_error: NotStarted) -> ResponseReturnValue:
    """Somebody came to an inner page first: the first page starts the try."""
    return redirect(page_url("teacher.home"), 303)


@blueprint.get("/preview")
def preview() -> ResponseReturnValue:
    """The credential as teachers see it before they start, for the people who run the course."""
    with services().database.reading() as session:
        found = reading_teacher.credential(session, actor())
    if found is None:
        return _nothing_here()
    return render_template(
        "teacher/home.html",
        definition=found.definition,
        work=None,
        opens=found.open_from if found.open_from and services().clock.now() < found.open_from else None,
        said="",
        needs=_needs(found.definition),
    )


@blueprint.get("/feedback")
def feedback() -> ResponseReturnValue:
    """What came back for the newest decided try, or for `?try=N`."""
    return _feedback(request.args.get("try", type=int))


def _feedback(
    number: int | None, *, problem: OperationRefused | None = None, typed: str = ""
) -> ResponseReturnValue:
    with services().database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        found = reading_feedback.feedback(session, loaded, number)
        appeal = appealing.standing(session, loaded, services().clock.now())
    page = render_template(
        "teacher/feedback.html",
        definition=loaded.definition,
        feedback=found,
        is_open=loaded.attempt.state == State.DRAFT,
        appeal=appeal if found.is_newest else None,
        problem=problem.message if problem is not None else None,
        typed=typed,
    )
    return page, problem.status if problem is not None else 200


@blueprint.post("/appeal")
def open_appeal() -> ResponseReturnValue:
    """Appeal against the decision about the newest try."""
    reason = request.form.get("text_reason", "")
    try:
        with services().database.writing() as session:
            appealing.open_appeal(session, actor(), reason, services().clock.now())
    except OperationRefused as problem:
        if problem.code not in ("reason_missing", "text_too_long"):
            raise
        return _feedback(None, problem=problem, typed=reason)
    return redirect(page_url("teacher.home", ok="appealed"), 303)


def _is_about_another(launch: PageSession) -> bool:
    """Whether the gradebook opened this to show somebody else's work."""
    return launch.message_type == SUBMISSION_REVIEW_REQUEST and launch.for_user_sub != launch.sub


def _settle() -> bool:
    """Tie the link to its placement at its first launch, and learn its column; False where it has none."""
    launch, used = actor().launch, services()
    assert launch is not None
    with used.database.reading() as session:
        placement = arriving.placement_of(session, launch)
    if placement is None or (launch.lineitem_url and any(not one.lineitem_url for one in placement.columns)):
        with used.database.writing() as session:
            placement = arriving.arrive(session, launch, used.clock.now())
    return placement is not None


def _nothing_here() -> ResponseReturnValue:
    return render_template("teacher/no_credential.html"), 404


def _needs(definition: Definition) -> list[tuple[str, str, str]]:
    """What a teacher needs before starting: icon, heading, sentence."""
    students, permissions = student_codes(definition), permissions_needed(definition)
    requirements = [one for part in definition.parts for one in part.artefact_requirements]
    prompts = [prompt for part in definition.parts for prompt in part.prompts]
    needs = []
    if students:
        who = wording.plural(len(students), "student", "students").replace(
            str(len(students)), wording.number(len(students)).capitalize(), 1
        )
        needs.append(
            ("people", f"{who} to follow", f"You call them {wording.listed(students)}. Never use a name.")
        )
    if permissions:
        needs.append(("lock", "Permission for each person", "Your word that a form is on file at school."))
    if requirements:
        pieces = sum(one.min_count for one in requirements)
        heading = f"{wording.number(pieces).capitalize()} {'piece' if pieces == 1 else 'pieces'} of evidence"
        needs.append(("camera", heading, wording.listed([one.label for one in requirements]) + "."))
    if prompts:
        limits = sorted({prompt.word_limit for prompt in prompts if prompt.word_limit})
        most = f" Up to {limits[-1]} words each." if limits else ""
        answers = wording.number(len(prompts)).capitalize()
        needs.append(
            (
                "pencil",
                "Short writing",
                f"{answers} {'question' if len(prompts) == 1 else 'questions'}.{most}",
            )
        )
    return needs
