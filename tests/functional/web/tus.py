"""A client of tus 1.0 as its specification says, for the test client of the pages."""

import base64

from werkzeug.test import TestResponse

from microcred.outbox import Worker
from tests.functional.web.course import Course, Visitor

TUS = {"Tus-Resumable": "1.0.0"}


def begin(
    visitor: Visitor,
    length: int,
    *,
    name: str = "talk.mp4",
    part: str = "p2",
    requirement: str = "p2-a1",
    fingerprint: str = "one",
    **headers: str,
) -> TestResponse:
    """Creation."""
    facts = {"filename": name, "part": part, "requirement": requirement, "fingerprint": fingerprint}
    metadata = ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in facts.items())
    said = {"Upload-Length": str(length), "Upload-Metadata": metadata}
    return ask(visitor, "POST", visitor.url("uploads"), b"", **said, **headers)


def send(visitor: Visitor, address: str, offset: int, content: bytes, **headers: str) -> TestResponse:
    """PATCH."""
    said = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return ask(visitor, "PATCH", address, content, **said, **headers)


def ask(visitor: Visitor, method: str, address: str, content: bytes = b"", **headers: str) -> TestResponse:
    """Any request, with what our own script sends along."""
    ours = {"Sec-Fetch-Site": "same-origin", "X-Form-Token": visitor.form_token, "X-Fragment": "upload"}
    return visitor.client.open(address, method=method, data=content, headers=TUS | ours | headers)


def work_off(course: Course) -> int:
    """Let the worker do what is due; gives how many jobs."""
    worker: Worker = course.assembly.make_worker()
    return worker.run_due()
