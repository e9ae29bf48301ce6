"""The rules of an organization, on both surfaces: looked at, changed, with what each of them means."""

from dataclasses import asdict
from datetime import date

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import organization_rules
from microcred.operations.errors import OperationRefused
from microcred.operations.organization_rules import RuleRefused, Values
from microcred.operations.rule_words import GROUPS, zones
from microcred.people.policies import REVIEWING_BOUNDS, Reviewing
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("rules", __name__)

_SAID = {"saved": "Saved. It counts from now on; days that were promised before stay as they are."}


@blueprint.get("/rules")
def index() -> ResponseReturnValue:
    """The organizations whose rules this person sets; with one, its rules."""
    with services().database.reading() as session:
        found = organization_rules.organizations(session, actor())
    if len(found) == 1:
        return redirect(page_url("rules.show", public_id=found[0].public_id), 303)
    return render_template("organization/index.html", organizations=found)


@blueprint.get("/rules/<public_id>")
def show(public_id: str) -> ResponseReturnValue:
    """The rules as they are."""
    return _page(public_id, said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.post("/rules/<public_id>")
def save(public_id: str) -> ResponseReturnValue:
    """Set them."""
    used, form = services(), request.form
    try:
        chosen = Values(
            form.get("time_zone", ""),
            organization_rules.read_days(form.get("text_holidays", "").splitlines()),
            frozenset(line.strip() for line in form.get("text_issuers", "").splitlines() if line.strip()),
            organization_rules.read_reviewing(form),
        )
        with used.database.writing() as session:
            organization_rules.change(
                session,
                actor(),
                public_id,
                chosen,
                edition=form.get("edition", ""),
                now=used.clock.now(),
            )
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _page(public_id, problem=refused), 409
    return redirect(page_url("rules.show", public_id=public_id, ok="saved"), 303)


def _page(public_id: str, *, said: str = "", problem: OperationRefused | None = None) -> str:
    """The form: what is set or, where it was refused, what was written."""
    with services().database.reading() as session:
        found = organization_rules.rules(session, actor(), public_id)
    return render_template(
        "organization/rules.html",
        found=found,
        groups=GROUPS,
        bounds=REVIEWING_BOUNDS,
        usual=asdict(Reviewing()),
        zones=zones(),
        filled=_shown(found.values) if problem is None else request.form,
        said=said,
        problem=problem.message if problem is not None else "",
        wrong=problem.field if isinstance(problem, RuleRefused) else "",
    )


def _shown(values: Values) -> dict[str, str]:
    """The values as the fields of the form hold them."""
    reviewing = {
        name: ("yes" if value else "") if isinstance(value, bool) else "" if value is None else str(value)
        for name, value in asdict(values.reviewing).items()
    }
    return reviewing | {
        "time_zone": values.time_zone,
        "text_holidays": "\n".join(_span(*span) for span in organization_rules.spans(values.holidays)),
        "text_issuers": "\n".join(sorted(values.counted_issuers)),
    }


def _span(first: date, last: date) -> str:
    return first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"
