"""A person's browser as far as pages without script go: cookies, the form token, same-origin headers."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.models import Launch
from microcred.app.wiring import Assembly
from microcred.database import Database, random_id
from microcred.people import links
from microcred.people.models import LmsIdentity
from tests.functional.review.world import StoppedClock, World

HOST = "tool.example.org"
ORIGIN = f"https://{HOST}"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Visitor:
    """Somebody at `/desk/`, or anybody without a session."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page = ""
        """What is on the screen."""
        self.home = "/desk/"
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

    @classmethod
    def in_course(
        cls, app: Flask, assembly: Assembly, world: World, person_id: int, *rights: str
    ) -> "Visitor":
        """A person who has come in by a launch of the course; `home` is their `/app/<L>/`."""
        now = assembly.clock.now()
        with world.database.writing() as session:
            identity = session.scalars(select(LmsIdentity).where(LmsIdentity.person_id == person_id)).one()
            launch = Launch(
                state_id=random_id(),
                registration_id=world.registration_id,
                deployment_id=world.deployment_id,
                context_id=world.context_id,
                resource_link_id=world.link_id,
                identity_id=identity.id,
                person_id=person_id,
                message_type="LtiResourceLinkRequest",
                rights=sorted(rights),
                bound_by="cookie",
                created_at=now,
                last_seen_at=now,
            )
            session.add(launch)
            session.flush()
            launch_id = launch.public_id
        visitor = cls(app)
        cookie = assembly.lti.sessions.cookie_for(launch_id)
        visitor.client.set_cookie(cookie.name, cookie.value, domain=HOST, path=cookie.path)
        visitor.home = cookie.path
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
