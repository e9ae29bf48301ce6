"""A person's browser as far as pages without script go: cookies, the form token, same-origin headers."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from microcred.database import Database, random_id
from microcred.people import links
from tests.functional.review.world import StoppedClock

ORIGIN = "https://tool.example.org"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Visitor:
    """Somebody at `/desk/`, or anybody without a session."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page = ""
        """What is on the screen."""
        self.seen: list[str] = []
        """Every body and header this person was ever sent."""

    @classmethod
    def at_desk(cls, app: Flask, database: Database, clock: StoppedClock, person_id: int) -> "Visitor":
        """A person who has come in by a one-time link."""
        with database.writing() as session:
            secret = links.invite(session, person_id, clock.now())
        visitor = cls(app)
        visitor.get(f"/desk/enter?t={secret}")
        assert visitor.post("/desk/enter", t=secret).status_code == 303
        visitor.get("/desk/")
        return visitor

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self._kept(self.client.get(path, base_url=ORIGIN, headers=headers))

    def post(self, path: str, *, fragment: bool = False, **form: Any) -> TestResponse:
        """Send a form of the page on the screen, its token included."""
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"HX-Request": "true"} if fragment else {})
        token = _TOKEN.search(self.page)
        data = ({"form_token": token[1]} if token else {}) | form
        response = self.client.post(path, data=data, base_url=ORIGIN, headers=headers)
        if fragment:
            self.seen.append(response.get_data(as_text=True))
            return response
        return self._kept(response)

    def follow(self, response: TestResponse) -> TestResponse:
        """Go where a redirect leads."""
        assert response.status_code == 303, response.get_data(as_text=True)
        return self.get(urlsplit(urljoin(ORIGIN, response.location))._replace(scheme="", netloc="").geturl())

    def links(self, pattern: str) -> list[str]:
        """Addresses in the page on the screen that match."""
        return re.findall(rf'(?:href|src|action)="({pattern})"', self.page)

    def _kept(self, response: TestResponse) -> TestResponse:
        body = response.get_data()
        self.seen.append(str(response.headers) + body.decode("utf-8", "replace"))
        if response.mimetype == "text/html" and response.status_code != 303:
            self.page = body.decode()
        return response


def unused_id() -> str:
    """A public id that nothing has."""
    return random_id()
