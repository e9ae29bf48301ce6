"""JSON control of a running platform, for programs in another process. Only where it is switched on.

All under ``/control``, bodies and answers JSON:

- ``GET /facts``: registration facts and ids (see :mod:`demo_lms.facts`).
- ``GET /log?endpoint=``, ``DELETE /log``: the requests that came.
- ``POST /script`` ``{endpoint, times, reply}``: ``reply`` has the fields of ``script.Reply``.
  ``DELETE /script?endpoint=`` ends it.
- ``GET /grades``: every cell with its history.
- ``POST /launch`` ``{person, link, claims, token}``: a login initiation.
- ``POST /keys`` ``{keep_old}``: a new signing key.
- ``POST /settings`` ``{platform_storage, login_method, page_size, switches}``: the last are the dialect's.
- ``POST /enter`` ``{person}``: signs the caller in, by session cookie.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request, session

from .facts import platform_facts
from .keys import TokenForm
from .script import Reply
from .services import json_answer
from .visitor import platform

control = Blueprint("control", __name__, url_prefix="/control")
SETTINGS = ("platform_storage", "login_method", "page_size")


def _body() -> dict[str, Any]:
    body = request.get_json()
    return body if isinstance(body, dict) else {}


@control.get("/facts")
def facts() -> Response:
    return json_answer(platform_facts(platform()))


@control.get("/log")
def log() -> Response:
    return json_answer([r.as_json() for r in platform().log.all(request.args.get("endpoint"))])


@control.delete("/log")
def clear_log() -> Response:
    platform().log.clear()
    return json_answer({})


@control.post("/script")
def script() -> Response:
    body = _body()
    platform().script.on(body["endpoint"], Reply(**body["reply"]), times=body.get("times", 1))
    return json_answer({}, status=201)


@control.delete("/script")
def clear_script() -> Response:
    platform().script.clear(request.args.get("endpoint"))
    return json_answer({})


@control.get("/grades")
def grades() -> Response:
    rows = []
    for item in platform().line_items.values():
        for person_id, grade in item.grades.items():
            row = {
                "line_item": item.id,
                "label": item.label,
                "course": item.course_id,
                "person": person_id,
                "shown": platform().shown_score(item.id, person_id),
                "updates": [
                    {"body": e.body, "applied": e.applied, "source": e.source, "note": e.note}
                    for e in item.history
                    if e.person_id == person_id
                ],
            }
            rows.append(row | asdict(grade))
    return json_answer(rows)


@control.post("/launch")
def launch() -> Response:
    body = _body()
    token = TokenForm(**body["token"]) if body.get("token") else None
    start = platform().begin_launch(body["person"], body["link"], token=token, claims=body.get("claims"))
    return json_answer(asdict(start))


@control.post("/keys")
def rotate() -> Response:
    key = platform().rotate_keys(keep_old=bool(_body().get("keep_old", True)))
    return json_answer({"kid": key.kid})


@control.post("/settings")
def settings() -> Response:
    for name, value in _body().items():
        if name in SETTINGS:
            setattr(platform(), name, value)
        elif name == "switches":
            platform().switches |= {k: v for k, v in value.items() if k in platform().dialect.switches}
    switches = {name: platform().switch(name) for name in platform().dialect.switches}
    return json_answer({name: getattr(platform(), name) for name in SETTINGS} | {"switches": switches})


@control.post("/enter")
def enter() -> Response:
    session["person"] = platform().people[_body()["person"]].id
    return json_answer({})
