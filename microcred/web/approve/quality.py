"""How reviewing goes at the issuer: agreement, turnaround, workload."""

from flask import render_template
from flask.typing import ResponseReturnValue

from microcred.credentials.agreement import MINIMUM_PAIRS
from microcred.operations import reading_quality
from microcred.operations.reading_quality import CredentialQuality
from microcred.web.approve.blueprint import blueprint
from microcred.web.base import wording
from microcred.web.base.surface import actor
from microcred.web.services import services


@blueprint.get("/quality")
def quality() -> ResponseReturnValue:
    """Agreement and turnaround of each credential; how busy reviewers are."""
    with services().database.reading() as session:
        found = reading_quality.quality(session, actor(), services().clock.now())
    return render_template(
        "approve/quality.html",
        rows=[_row(row) for row in found.credentials],
        reviewers=found.reviewers,
        least=MINIMUM_PAIRS,
    )


def _row(row: CredentialQuality) -> dict[str, object]:
    shown = row.agreement
    kappa = shown.kappa if shown is not None else None
    return {
        "title": row.title,
        "code": row.code,
        "pairs": wording.plural(row.pairs, "try", "tries") + (f", {row.drawn} drawn" if row.pairs else ""),
        "exact": f"{shown.exact:.0%}" if shown is not None else None,
        "same_result": f"{shown.same_result:.0%}" if shown is not None else None,
        "kappa": f"{kappa:.2f}" if kappa is not None else None,
        "should_pause": row.should_pause,
        "time": f"{row.median_days:g} days" if row.median_days is not None else None,
        "on_time": f"{row.on_time} of {row.decided}" if row.decided else None,
        "anchors": row.anchors,
        "lacking": row.waiting_for_reader,
    }
