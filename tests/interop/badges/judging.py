"""Asks the judges: each is a program of its own that prints one verdict a badge."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop.badges import install_judges


@dataclass(frozen=True)
class Verdict:
    """What a judge said of one badge."""

    valid: bool
    problems: list[str]


def judge_ob2(badges: Sequence[str | Path], *, recipient: str | None = None) -> list[Verdict]:
    """1EdTech's validator on hosted addresses and baked pictures; `recipient` is `kind=value`."""
    options = ["--recipient", recipient] if recipient else []
    return _ask([*install_judges.ob2_command(), *options, *map(str, badges)])


def judge_ob3(badges: Sequence[Path], known: Mapping[str, Any], folder: Path) -> list[Verdict]:
    """Digital Bazaar's verifiers on files; `known` are the documents at other addresses."""
    options: list[str] = []
    for number, (url, document) in enumerate(known.items()):
        file = folder / f"known-{number}.json"
        file.write_text(json.dumps(document))
        options += ["--map", f"{url}={file}"]
    return _ask([*install_judges.ob3_command(), *options, *map(str, badges)])


def _ask(command: list[str]) -> list[Verdict]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert verdicts, f"the judge did not speak: {done.stderr}"
    assert (done.returncode == 0) == all(verdict["valid"] for verdict in verdicts)
    return [Verdict(verdict["valid"], verdict["problems"]) for verdict in verdicts]
