"""Pages of appeals: which wait for this approver, and one of them."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import appealing, reading_appeals
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_decide import WaitingList
from microcred.web.approve.blueprint import blueprint
from microcred.web.approve.case_page import case_page
from microcred.web.base import wording
from microcred.web.base.surface import actor, page_url, surface
from microcred.web.review.words import due, first_capital
from microcred.web.services import services

_DONE = {
    "award": "Awarded. The grade, the badge and the hours are on their way.",
    "uphold": "The decision stands. The teacher reads your reason.",
}
_AGAINST = {
    "deny": "It was not awarded.",
    "revoke": "The award was withdrawn.",
    "request_revisions": "Changes were asked for again and again.",
}


@blueprint.get("/appeals")
def appeals() -> ResponseReturnValue:
    """Appeals that this approver may decide, due soonest first."""
    with services().database.reading() as session:
        found = reading_appeals.open_appeals(session, actor())
    count = first_capital(wording.number(len(found)))
    rows = []
    for row in found:
        when = due(row.due_at, services().clock.now(), surface().zone)
        rows.append(
            {
                "alias": row.alias,
                "definition": row.definition,
                "opened_at": row.opened_at,
                "due_text": first_capital(when.text),
                "urgent": when.urgent,
                "url": page_url("approve.appeal", public_id=row.public_id),
            }
        )
    return render_template(
        "approve/appeals.html",
        rows=rows,
        heading=f"{count} {'appeal' if len(found) == 1 else 'appeals'} to decide" if found else "Appeals",
        done=_DONE.get(request.args.get("ok", "")),
    )


@blueprint.get("/appeals/<public_id>")
def appeal(public_id: str) -> ResponseReturnValue:
    """One appeal with all that the decision rests on."""
    return _appeal(public_id)


@blueprint.post("/appeals/<public_id>")
def judge(public_id: str) -> ResponseReturnValue:
    """Decide the appeal."""
    outcome, reason = request.form.get("outcome", ""), request.form.get("text_reason", "")
    try:
        with services().database.writing() as session:
            appealing.judge(
                session,
                actor(),
                public_id,
                outcome,
                reason=reason,
                badge_url=services().settings.badge_url,
                now=services().clock.now(),
            )
    except OperationRefused as problem:
        if problem.code not in ("reason_missing", "text_too_long"):
            raise
        return _appeal(public_id, problem=problem, typed=reason)
    return redirect(page_url("approve.appeals", ok=outcome), 303)


def _appeal(
    public_id: str, *, problem: OperationRefused | None = None, typed: str = ""
) -> ResponseReturnValue:
    now, zone = services().clock.now(), surface().zone
    with services().database.reading() as session:
        found = reading_appeals.appeal(session, actor(), public_id)
    page = render_template(
        "approve/appeal.html",
        **case_page(found.case, WaitingList((), None), now, zone),
        grounds=found.grounds,
        against_words=_AGAINST[found.against],
        against_reason=found.against_reason,
        due_text=due(found.due_at, now, zone).text,
        problem=problem.message if problem is not None else None,
        typed=typed,
    )
    return page, problem.status if problem is not None else 200
