"""Keeping a platform in one JSON file, so that the demo survives a restart."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from .keys import SigningKey
from .model import Course, Enrolment, Grade, LineItem, Link, Page, Person, ScoreEvent, Tool
from .platform import Platform


def keep(platform: Platform, path: Path) -> bool:
    """Load the file if it exists and write it after every change; True if it was loaded."""
    loaded = path.exists()
    if loaded:
        restore(platform, json.loads(path.read_text("utf-8")))
    platform.on_change = lambda: write(platform, path)
    return loaded


def write(platform: Platform, path: Path) -> None:
    """Replace the file by the platform's present state; readable by the owner only, for it holds keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(snapshot(platform), file, ensure_ascii=False, default=_moment)
    draft.replace(path)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot keep {type(value).__name__}")


def snapshot(platform: Platform) -> dict[str, Any]:
    """Everything that outlives a restart: not launches under way, access tokens, log or script."""
    return {
        "session_secret": platform.session_secret,
        "keys": [{"kid": k.kid, "pem": k.private_pem().decode()} for k in platform.keys.published],
        "current": platform.keys.current.kid,
        "people": [asdict(person) for person in platform.people.values()],
        "courses": [asdict(course) for course in platform.courses.values()],
        "links": [asdict(link) for link in platform.links.values()],
        "line_items": [asdict(item) for item in platform.line_items.values()],
        "tools": [asdict(tool) for tool in platform.tools.values()],
    }


def restore(platform: Platform, kept: dict[str, Any]) -> None:
    """Put a snapshot into a platform."""
    platform.session_secret = kept["session_secret"]
    ring = platform.key_ring([SigningKey.from_pem(k["kid"], k["pem"].encode()) for k in kept["keys"]])
    ring.current = ring.find(kept["current"])
    platform.keys = ring
    platform.people = {p["id"]: Person(**p) for p in kept["people"]}
    platform.courses = {c["id"]: _course(c) for c in kept["courses"]}
    platform.links = {link["id"]: Link(**link) for link in kept["links"]}
    platform.line_items = {item["id"]: _line_item(item) for item in kept["line_items"]}
    platform.tools = {tool["client_id"]: Tool(**tool) for tool in kept["tools"]}


def _course(kept: dict[str, Any]) -> Course:
    enrolments = {pid: Enrolment(**e) for pid, e in kept["enrolments"].items()}
    pages = [Page(**page) for page in kept["pages"]]
    return Course(**(kept | {"enrolments": enrolments, "pages": pages}))


def _line_item(kept: dict[str, Any]) -> LineItem:
    grades = {pid: Grade(**grade) for pid, grade in kept["grades"].items()}
    history = [ScoreEvent(**(e | {"at": datetime.fromisoformat(e["at"])})) for e in kept["history"]]
    return LineItem(**(kept | {"grades": grades, "history": history}))
