"""Result files: `benchmarks/results/<name>.json`, and the table that a run prints."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine

FOLDER = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
RATIOS = {
    "launch": ("pylti1p3_best", "ltijs"),
    "grades": ("bare", "pylti1p3_loop", "ltijs"),
    "badges": ("pyld", "openvc", "openbadgeslib"),
}
"""The ratios that each benchmark's file must have: ours to theirs, of work done in a second (badges: in a
second of CPU)."""


class NotAResult(Exception):
    """A result file lacks something; the message says what."""


def result(
    name: str,
    *,
    ours: Mapping[str, Any],
    peers: Mapping[str, Any],
    ratios: Mapping[str, float],
    notes: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A result as it is written: `quiet` is false where a number comes from a window that others
    disturbed."""
    variants = [*ours.values(), *peers.values()]
    return {
        "benchmark": name,
        "date": machine.today(),
        "machine": machine.facts(),
        "quiet": all(variant.get("quiet", True) for variant in variants if isinstance(variant, dict)),
        "ours": ours,
        "peers": peers,
        "ratios": {key: round(value, 3) for key, value in ratios.items()},
        **more,
        "notes": list(notes),
    }


def check(value: Any) -> None:
    """Raises NotAResult unless `value` has the documented shape."""
    if not isinstance(value, dict):
        raise NotAResult("not an object")
    for key, kind in (
        ("benchmark", str),
        ("date", str),
        ("machine", dict),
        ("quiet", bool),
        ("ours", dict),
        ("peers", dict),
        ("ratios", dict),
        ("notes", list),
    ):
        if not isinstance(value.get(key), kind):
            raise NotAResult(f"{key} is missing or no {kind.__name__}")
    for key in ("cpu", "cores", "python"):
        if not value["machine"].get(key):
            raise NotAResult(f"machine.{key} is missing")
    for key in RATIOS[value["benchmark"]]:
        ratio = value["ratios"].get(key)
        if isinstance(ratio, bool) or not isinstance(ratio, int | float) or ratio <= 0:
            raise NotAResult(f"ratios.{key} is missing or no positive number")
    if not value["ours"] or not value["peers"]:
        raise NotAResult("nothing was measured")


def write(value: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write a checked result; where. Raises NotAResult."""
    check(value)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{value['benchmark']}.json"
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    return path


def middle(windows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the windows of one variant the medians, number by number, over the quiet ones.

    Where none was quiet, over the quieter half, and `quiet` says so.
    """
    quiet = [window for window in windows if window["foreign_cores"] < machine.QUIET]
    order = sorted(windows, key=lambda window: float(window["foreign_cores"]))
    chosen = quiet or order[: (len(order) + 1) // 2]
    medians = {
        key: round(statistics.median(window[key] for window in chosen), 3)
        for key, value in chosen[0].items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return {**medians, "windows": len(windows), "quiet_windows": len(quiet), "quiet": bool(quiet)}


def show(title: str, rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Print variants as a table; `columns` are headings by key."""
    table = Table("", *columns.values(), title=title)
    for name, row in rows.items():
        table.add_row(name, *(_cell(row.get(key)) for key in columns))
    Console(width=140).print(table, markup=False)


def note(value: Mapping[str, Any], columns: Mapping[str, str], document: Path = DOCUMENT) -> None:
    """Put the figures of a result into the document, between the two marks of its benchmark."""
    name = value["benchmark"]
    before, _, rest = document.read_text().partition(f"<!-- {name} -->\n")
    _, _, after = rest.partition(f"<!-- end of {name} -->\n")
    rows = {**value["ours"], **value["peers"]}
    machine_ = value["machine"]
    lines = [
        f"Measured {value['date'][:10]} on {machine_['cores']} cores of {machine_['cpu']}"
        f" ({machine_['system']}, Python {machine_['python']})"
        + ("." if value["quiet"] else "; **others used the machine meanwhile**, so only ratios say much."),
        "",
        "| | " + " | ".join(columns.values()) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {row_name} | " + " | ".join(_cell(row.get(key)) for key in columns) + " |"
            for row_name, row in rows.items()
        ),
        "",
        "Ours to theirs: "
        + ", ".join(f"`{key}` {ratio:.2f}" for key, ratio in value["ratios"].items())
        + ".",
        *(
            f"\n{kind.capitalize()}: " + ", ".join(f"{key} {number}" for key, number in seen.items()) + "."
            for kind, seen in value.get("people", {}).items()
        ),
        "",
    ]
    marked = f"<!-- {name} -->\n" + "\n".join(lines) + f"<!-- end of {name} -->\n"
    document.write_text(before + marked + after)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"
