"""A person's record: all badges on one page, on paper, and as one signed file (CLR 2.0)."""

import json

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from microcred.badges import pdf, records
from microcred.badges.public_award import PublicAward
from microcred.operations import importing
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.reading_badge import Holder, holder_of, record_of
from microcred.web.base import papers, wording
from microcred.web.base.surface import actor, surface
from microcred.web.services import services
from microcred.web.teacher.badge import paper
from microcred.web.teacher.blueprint import blueprint, said
from microcred.web.teacher.elsewhere_words import CHECKED


@blueprint.get("/record")
def record() -> ResponseReturnValue:
    """The record as a page that prints well."""
    return show_record()


def show_record(refused: OperationRefused | None = None) -> str:
    """The page; `refused` is why a badge from elsewhere was not added just now."""
    holder, awards = _awards()
    addresses = services().badges.addresses
    now = services().clock.now()
    rows = [(award, papers.certificate_facts(award, addresses, now, holder.name)) for award in awards]
    with services().database.reading() as session:
        launch = actor().launch
        organization_id = launch.organization_id if launch else None
        elsewhere = importing.portfolio(session, actor(), organization_id, now)
    return render_template(
        "teacher/record.html",
        holder=holder,
        rows=rows,
        total=_total(awards),
        counted=_counted(elsewhere),
        elsewhere=elsewhere,
        checked=CHECKED,
        said=said(request.args.get("ok")),
        refused=refused,
    )


@blueprint.get("/record.pdf")
def record_paper() -> ResponseReturnValue:
    """The same as PDF."""
    holder, awards = _awards()
    addresses, now = services().badges.addresses, services().clock.now()
    facts = pdf.TranscriptFacts(
        holder=holder.name or "Record",
        printed_on=wording.date(now, surface().zone),
        total=_total(awards),
        rows=tuple(papers.certificate_facts(award, addresses, now, holder.name) for award in awards),
    )
    return paper(pdf.transcript(facts), "record")


@blueprint.get("/record.json")
def record_file() -> ResponseReturnValue:
    """All badges that stand in one signed file."""
    used, who = services(), actor()
    with used.database.reading() as session:
        holder = holder_of(session, who)
    assert who.launch is not None
    try:
        document = records.signed_record(
            used.database,
            used.badges,
            used.clock,
            person_ids=who.person_ids,
            publisher_id=who.launch.organization_id,
            identifier=holder.identifier,
        )
    except records.NothingToRecord as nothing:
        raise NotFound(
            "nothing_to_record", "There is no signed badge to put into a file yet. Look again in a minute."
        ) from nothing
    response = Response(json.dumps(document, ensure_ascii=False), mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="record.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _awards() -> tuple[Holder, list[PublicAward]]:
    used = services()
    with used.database.reading() as session:
        holder = holder_of(session, actor())
        found = record_of(session, actor())
    return holder, [used.badges.public_award(award_id) for award_id in found]


def _counted(elsewhere: list[importing.Elsewhere]) -> str:
    """What counts beside the own badges; empty where nothing does."""
    counted = [one for one in elsewhere if one.is_counted]
    hours = sum(one.hours or 0 for one in counted)
    words = f"{wording.plural(len(counted), 'badge')} from elsewhere"
    return (f"{words}, {wording.plural(hours, 'hour')}" if hours else words) if counted else ""


def _total(awards: list[PublicAward]) -> str:
    """What counts: badges that were not taken back."""
    standing = [award for award in awards if award.revoked_at is None]
    hours = sum(award.clock_hours for award in standing)
    return f"{wording.plural(len(standing), 'badge')}, {wording.plural(hours, 'hour')}"
