"""Pages of awards at the issuer: the list, taking one back, renewing one."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import awards
from microcred.operations.awards import AwardRow
from microcred.operations.errors import OperationRefused
from microcred.web.approve.blueprint import blueprint
from microcred.web.approve.pages import case_response
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services

_STATES = {"awarded": "Stands", "expired": "Expired", "revoked": "Withdrawn", "appeal_open": "Appeal open"}


@blueprint.get("/awards")
def award_list() -> ResponseReturnValue:
    """Awards of this approver's issuers, newest first."""
    with services().database.reading() as session:
        found = awards.awards(session, actor(), after=request.args.get("after"))
    return render_template(
        "approve/awards.html",
        rows=[_row(row) for row in found.rows],
        more_url=page_url("approve.award_list", after=found.after) if found.after else None,
    )


@blueprint.post("/<public_id>/revoke")
def revoke(public_id: str) -> ResponseReturnValue:
    """Take an award back."""
    words = request.form.get("text_revoke", "")
    try:
        with services().database.writing() as session:
            awards.revoke(
                session,
                actor(),
                public_id,
                request.form.get("why", ""),
                words,
                now=services().clock.now(),
            )
    except OperationRefused as problem:
        if problem.code not in ("unknown_reason", "reason_missing", "text_too_long"):
            raise
        return case_response(public_id, problem=problem, open_form="revoke", typed=words)
    return redirect(page_url("approve.case", public_id=public_id), 303)


@blueprint.post("/<public_id>/renew")
def renew(public_id: str) -> ResponseReturnValue:
    """Let an expired award count for another term."""
    with services().database.writing() as session:
        awards.renew(session, actor(), public_id, now=services().clock.now())
    return redirect(page_url("approve.case", public_id=public_id), 303)


def _row(row: AwardRow) -> dict[str, object]:
    return {
        "name": row.name,
        "definition": row.definition,
        "state": _STATES.get(row.state, "Stands"),
        "awarded_at": row.awarded_at,
        "valid_until": row.valid_until,
        "url": page_url("approve.case", public_id=row.attempt_public_id),
    }
