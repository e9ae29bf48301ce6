"""`microcred organization`: the rules that an organization sets for itself."""

from pathlib import Path

from tests.functional.app.conftest import Command


def test_rules_are_listed_set_and_set_back(microcred: Command, catalogue_file: Path) -> None:
    microcred("catalogue", "import", str(catalogue_file))
    code = next(
        one["code"] for one in microcred.json("organization", "list") if one["code"].startswith("iss-")
    )
    before = microcred.json("organization", "show", code)
    assert before["time_zone"] == "America/New_York"
    assert (before["holidays"], before["reviewing"]["appeal_days"]) == ([], 20)
    after = microcred.json(
        *("organization", "set", code, "--time-zone", "America/Denver"),
        *("--holiday", "2026-12-24 to 2026-12-26", "--no-holiday", "2026-12-24"),
        *("--rule", "appeal_days=15", "--rule", "coaching=no", "--rule", "double_score_percent=10"),
        *("--counts-badges-of", "*"),
    )
    assert after == microcred.json("organization", "show", code)
    assert after["holidays"] == ["2026-12-25", "2026-12-26"]
    assert after["counts_badges_of"] == ["*"]
    assert after["reviewing"] == before["reviewing"] | {
        "appeal_days": 15,
        "coaching": False,
        "double_score_percent": 10,
    }
    back = microcred.json(
        *("organization", "set", code, "--time-zone", "America/New_York", "--counts-no-badges"),
        *("--no-holiday", "2026-12-25 to 2026-12-26", "--rule", "appeal_days=", "--rule", "coaching="),
        *("--rule", "double_score_percent="),
    )
    assert back == before
    assert "appeal_days" in microcred("organization", "show", code).stdout


def test_what_is_out_of_bounds_changes_nothing(microcred: Command, catalogue_file: Path) -> None:
    microcred("catalogue", "import", str(catalogue_file))
    code = microcred.json("organization", "list")[0]["code"]
    before = microcred.json("organization", "show", code)
    for words, says in (
        (["--rule", "appeal_days=0"], "from 1 to 250"),
        (["--rule", "coaching=perhaps"], "yes or no"),
        (["--time-zone", "Nowhere"], "not known"),
        (["--holiday", "soon"], "is no day"),
    ):
        assert says in microcred("organization", "set", code, *words, status=1).stderr
    for words in (["--rule", "no_such=1"], ["--counts-badges-of", "x", "--counts-no-badges"]):
        assert "Usage:" in microcred("organization", "set", code, *words, status=2).stderr
    assert "organization list" in microcred("organization", "show", "nobody", status=1).stderr
    assert microcred.json("organization", "show", code) == before
