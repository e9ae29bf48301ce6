"""The page of pools, as an approver clicks it."""

import re
from typing import Any

from tests.functional.review.visitor import Visitor

PAGE = "/desk/approve/pools"


def members(approver: Visitor) -> list[str]:
    """Public ids of the reviewers in the form of a new pool."""
    return re.findall(r'name="member" value="([^"]+)"', approver.page.split("A new pool")[1])


def form(approver: Visitor, **changes: Any) -> dict[str, Any]:
    issuer = re.findall(r'name="issuer" value="([^"]+)"', approver.page)[0]
    return {"issuer": issuer, "name": "Early readers", "member": members(approver)[:1]} | changes


def test_a_pool_is_made_changed_and_removed(approver: Visitor) -> None:
    approver.get("/desk/approve/quality")
    assert PAGE in approver.page
    approver.get(PAGE)
    assert "No pool yet" in approver.page
    everybody = members(approver)
    assert len(everybody) >= 2
    approver.follow(approver.post(PAGE, **form(approver)))
    assert "Saved." in approver.page
    assert "Early readers: 1 reviewer" in approver.page
    pool = re.findall(r'name="pool" value="([^"]+)"', approver.page)[0]
    approver.follow(approver.post(PAGE, **form(approver, pool=pool, name="Grades K to 2", member=everybody)))
    assert f"Grades K to 2: {len(everybody)} reviewers" in approver.page
    assert "Early readers" not in approver.page
    approver.follow(approver.post(f"{PAGE}/{pool}/remove"))
    assert "The pool is gone." in approver.page
    assert "No pool yet" in approver.page


def test_what_is_refused_is_said_on_the_page(approver: Visitor) -> None:
    approver.get(PAGE)
    answer = approver.post(PAGE, **form(approver, member=[]))
    assert answer.status_code == 409
    assert "needs a name and at least one reviewer" in approver.page
    assert approver.post(f"{PAGE}/none/remove").status_code == 404


def test_reviewers_do_not_see_it(reviewer: Visitor, approver: Visitor) -> None:
    approver.get(PAGE)
    assert reviewer.get(PAGE).status_code == 403
    assert reviewer.post(PAGE, **form(approver)).status_code == 403
