"""Pages of approvers: what waits for a decision, and one decision. On both surfaces, below `approve/`."""

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import anchors, awards, decide, flagging, reading_appeals, reading_decide
from microcred.operations.errors import OperationRefused
from microcred.web.approve.blueprint import blueprint
from microcred.web.approve.case_page import case_page, list_row
from microcred.web.base import wording
from microcred.web.base.surface import actor, page_url, surface
from microcred.web.review.words import first_capital
from microcred.web.services import services

FORMS = {
    "award": ("award", ""),
    "return": ("return_to_reviewer", "text_note"),
    "revise": ("request_revisions", ""),
    "deny": ("deny", "text_reason"),
}
"""The buttons of the page: the decision each makes, and the field of its reason."""


@blueprint.get("/")
def queue() -> ResponseReturnValue:
    """What waits for a decision, due soonest first."""
    with services().database.reading() as session:
        found = reading_decide.waiting_list(session, actor(), after=request.args.get("after"))
        open_appeals = len(reading_appeals.open_appeals(session, actor()))
    return render_template(
        "approve/list.html",
        rows=[list_row(row, services().clock.now(), surface().zone) for row in found.rows],
        heading=_heading(found),
        appeals=wording.plural(open_appeals, "appeal") + " to decide" if open_appeals else "",
        more_url=page_url("approve.queue", after=found.after) if found.after else None,
    )


@blueprint.get("/<public_id>")
def case(public_id: str) -> ResponseReturnValue:
    """One recommendation with all that the decision rests on."""
    return case_response(public_id)


@blueprint.post("/<public_id>")
def decision(public_id: str) -> ResponseReturnValue:
    """Decide. The page that follows says what happened."""
    button = request.form.get("decision", "")
    kind, field = FORMS.get(button, ("", ""))
    try:
        with services().database.writing() as session:
            decide.decide(
                session,
                actor(),
                public_id,
                kind,
                reason=request.form.get(field, ""),
                badge_url=services().settings.badge_url,
                now=services().clock.now(),
            )
    except OperationRefused as problem:
        if problem.code not in ("reason_missing", "text_too_long"):
            raise
        return case_response(public_id, problem=problem, open_form=button, typed=request.form.get(field, ""))
    return redirect(page_url("approve.case", public_id=public_id), 303)


@blueprint.post("/<public_id>/flags/<int(max=999999999999999):flag_id>")
def settle_flag(public_id: str, flag_id: int) -> ResponseReturnValue:
    """A flag has been looked at."""
    with services().database.writing() as session:
        flagging.settle(session, actor(), public_id, flag_id, services().clock.now())
    return redirect(page_url("approve.case", public_id=public_id), 303)


@blueprint.post("/<public_id>/anchor")
def mark_anchor(public_id: str) -> ResponseReturnValue:
    """Let reviewers practise on a decided try."""
    form = request.form
    try:
        with services().database.writing() as session:
            anchors.mark(
                session,
                actor(),
                public_id,
                {name.removeprefix("level_"): form[name] for name in form if name.startswith("level_")},
                {name.removeprefix("text_why_"): form[name] for name in form if name.startswith("text_why_")},
                teacher_agreed=form.get("teacher_agreed") == "yes",
                now=services().clock.now(),
            )
    except OperationRefused as problem:
        if problem.code not in ("teacher_not_asked", "unrated", "text_too_long"):
            raise
        return case_response(public_id, problem=problem)
    return redirect(page_url("approve.case", public_id=public_id), 303)


@blueprint.post("/<public_id>/anchor/retire")
def retire_anchor(public_id: str) -> ResponseReturnValue:
    """Use the try for practice no more."""
    with services().database.writing() as session:
        anchors.retire(session, actor(), public_id, services().clock.now())
    return redirect(page_url("approve.case", public_id=public_id), 303)


def case_response(
    public_id: str, *, problem: OperationRefused | None = None, open_form: str = "", typed: str = ""
) -> ResponseReturnValue:
    now, zone = services().clock.now(), surface().zone
    with services().database.reading() as session:
        found = reading_decide.case(session, actor(), public_id)
        is_anchor = anchors.anchor_of(session, public_id) is not None
        waiting = reading_decide.waiting_list(session, actor())
    values: dict[str, Any] = case_page(found, waiting, now, zone)
    page = render_template(
        "approve/case.html",
        **values,
        heading=_heading(waiting),
        is_anchor=is_anchor,
        revoke_reasons=awards.REASONS if found.state in ("awarded", "expired") else None,
        problem=problem.message if problem is not None else None,
        open_form=open_form,
        typed=typed,
    )
    return page, problem.status if problem is not None else 200


def _heading(found: reading_decide.WaitingList) -> str:
    count = len(found.rows)
    if not count:
        return "Nothing to decide now"
    return f"{f'More than {count}' if found.after else first_capital(wording.number(count))} to decide"
