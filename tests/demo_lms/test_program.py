"""The program ``python -m demo_lms``: sample people, facts as JSON, a file that survives a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from demo_lms import DIALECTS, Platform
from demo_lms.__main__ import start
from demo_lms.persistence import keep
from demo_lms.sample import add_sample

ROOT = Path(__file__).parents[2]


def test_the_program_prints_its_facts_and_ends_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo_lms", "--port", "0", "--json", "--control"]
    command += ["--tool-url", "http://127.0.0.1:5999/", "--data", str(tmp_path / "lms.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        facts = json.loads(program.stdout.readline())
        assert facts["issuer"] == facts["url"]
        assert facts["auth_url"] == facts["url"] + "/auth"
        (tool,) = facts["tools"]
        assert tool["client_id"] == "demo-tool"
        assert tool["deployment_ids"] == ["demo-deployment"]
        assert tool["login_url"] == "http://127.0.0.1:5999/lti/login"
        assert tool["redirect_uris"] == ["http://127.0.0.1:5999/lti/launch"]
        assert tool["deep_link_url"] == "http://127.0.0.1:5999/lti/deep-link"
        assert len(facts["courses"]) == 3
        assert requests.get(facts["jwks_url"], timeout=5).status_code == 200
        assert requests.get(facts["url"] + "/control/facts", timeout=5).json() == facts
        program.terminate()
        assert program.wait(10) == 0


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_the_program_offers_every_dialect(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with start(["--port", "0", "--dialect", name, "--json"]):
        facts = json.loads(capsys.readouterr().out)
    assert facts["dialect"] == name
    (tool,) = facts["tools"]
    assert (tool["client_id"], tool["deployment_ids"]) == (
        DIALECTS[name].program_ids[0],
        [DIALECTS[name].program_ids[1]],
    )
    assert facts["auth_url"] == facts["url"] + DIALECTS[name].paths["auth"]


def test_everybody_in_the_sample_is_plainly_a_demo_person() -> None:
    platform = Platform()
    add_sample(platform)
    assert all("Demo" in person.name for person in platform.people.values())
    assert all(person.email.endswith("@demo.invalid") for person in platform.people.values())
    learners = [
        p for p, e in platform.courses["active-classrooms"].enrolments.items() if "Learner" in e.roles
    ]
    assert len(learners) >= 6


def test_all_that_matters_survives_a_restart(tmp_path: Path, platform: Platform) -> None:
    file = tmp_path / "lms.json"
    first = Platform(keys=platform.keys.published)
    assert keep(first, file) is False
    for name in ("people", "courses", "links", "line_items", "tools"):
        setattr(first, name, getattr(platform, name))
    first.override_grade(next(iter(first.line_items)), "u-1", 70, "Well done.")
    first.rotate_keys()
    assert file.stat().st_mode & 0o777 == 0o600
    second = Platform()
    assert keep(second, file) is True
    for name in ("people", "courses", "links", "line_items", "tools"):
        assert getattr(second, name) == getattr(first, name)
    assert second.keys.jwks() == first.keys.jwks()
    assert second.keys.current.kid == first.keys.current.kid


def test_a_copied_course_has_new_ids_and_remembers_the_old_ones(platform: Platform) -> None:
    platform.links["rl-1"].custom["history"] = "$ResourceLink.id.history"
    platform.copy_course("c-1", "c-2")
    platform.enrol("c-2", "u-1")
    (link,) = platform.links_in("c-2")
    claims = platform.claims_for("u-1", link.id)
    custom = claims["https://purl.imsglobal.org/spec/lti/claim/custom"]
    assert custom == {"placement": "p-1", "history": "rl-1"}
    assert claims["https://purl.imsglobal.org/spec/lti/claim/context"]["id"] == "c-2"
    (item,) = platform.line_items_of(link.id)
    assert item.id not in {i.id for i in platform.line_items_of("rl-1")}
