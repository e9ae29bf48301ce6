"""The platform's state and the plain changes to it: who is here, what is in a course, which tools."""

from __future__ import annotations

import copy
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import requests

from .dialects import PLAIN, Dialect
from .keys import KeyRing, SigningKey
from .model import (
    AccessToken,
    Course,
    DeepLinkVisit,
    Draft,
    Enrolment,
    Grade,
    LineItem,
    Link,
    Message,
    Page,
    Person,
    RegistrationToken,
    ScoreEvent,
    Tool,
)
from .script import RequestLog, Script

DEFAULT_ISSUER = "http://localhost"
"""Stands for "the address this platform will be served at"."""

FetchJson = Callable[[str], Any]
Download = Callable[[str], bytes]
SendJson = Callable[[str, object], int]


def fetch_json(url: str) -> Any:
    """GET a JSON document, 5 s at most; ``requests.RequestException`` or ValueError if it fails."""
    answer = requests.get(url, timeout=5, allow_redirects=False)
    answer.raise_for_status()
    if answer.status_code != 200:
        raise ValueError(f"{url} answered {answer.status_code}")
    return answer.json()


def download(url: str) -> bytes:
    """GET a file, 5 s at most; ``requests.RequestException`` if that fails."""
    answer = requests.get(url, timeout=5)
    answer.raise_for_status()
    return answer.content


def send_json(url: str, body: object) -> int:
    """POST JSON, 5 s at most, and give the status; ``requests.RequestException`` if nothing answers."""
    return requests.post(url, json=body, timeout=5, allow_redirects=False).status_code


def utc_now() -> datetime:
    return datetime.now(UTC)


class State:
    """Everything one platform knows. All changes happen under ``lock``; ``on_change`` hears of each."""

    def __init__(
        self,
        issuer: str = DEFAULT_ISSUER,
        *,
        name: str = "Demo LMS",
        dialect: Dialect = PLAIN,
        keys: Sequence[SigningKey] = (),
        clock: Callable[[], datetime] = utc_now,
        token: Callable[[], str] = lambda: secrets.token_urlsafe(24),
        fetch: FetchJson = fetch_json,
        download: Download = download,
        send: SendJson = send_json,
    ) -> None:
        self.issuer = issuer
        self.base_url = issuer
        """Where the endpoints really are; ``serve`` sets it, so that the issuer may be any name."""
        self.name = name
        self.dialect = dialect
        self.clock: Callable[[], datetime] = clock
        self.token: Callable[[], str] = token
        self.keys = self.key_ring(keys)
        self.fetch = fetch
        self.download = download
        self.send = send
        self.lock = threading.RLock()
        self.on_change: Callable[[], None] = lambda: None
        self.session_secret = secrets.token_hex(32)

        self.login_method: str = dialect.login_method
        self.switches: dict[str, object] = {}
        """Changes of the dialect's own switches; the usual values are ``dialect.switches``."""
        self.platform_storage = False
        """Answer ``lti.put_data``/``lti.get_data`` and send ``lti_storage_target``."""
        self.page_size: int | None = None
        """Rows a page in every service, whatever the dialect says."""

        self.people: dict[str, Person] = {}
        self.courses: dict[str, Course] = {}
        self.links: dict[str, Link] = {}
        self.line_items: dict[str, LineItem] = {}
        self.tools: dict[str, Tool] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.messages: dict[str, Message] = {}
        self.visits: dict[str, DeepLinkVisit] = {}
        self.drafts: dict[str, Draft] = {}
        self.registration_tokens: dict[str, RegistrationToken] = {}
        self.kept_jwks: dict[str, tuple[datetime, list[dict[str, Any]]]] = {}
        """Per client: a tool's keys, and until when they are good."""
        self.buckets: dict[str, tuple[float, datetime]] = {}
        """Per client: what the throttle's bucket held, and when."""
        self.last_numbers: dict[str, int] = {}
        self.progress: dict[str, dict[str, str]] = {}
        """Downloads that a score asked for, by id."""
        self.seen: dict[tuple[str, str], datetime] = {}
        """(client id, jti or nonce) of tool-signed tokens, kept until they expire."""
        self.notices: dict[str, list[tuple[str, str]]] = {}
        """Per person: ("good" or "bad", text) to show once on the next page."""
        self.log = RequestLog()
        self.script = Script()

    # -- the dialect's own ---------------------------------------------------------------------

    def key_ring(self, keys: Sequence[SigningKey]) -> KeyRing:
        """Signing keys, new ones named the dialect's way."""
        return KeyRing(list(keys), lambda number: self.dialect.new_kid(self, number))

    def switch(self, name: str) -> Any:
        """How one of the dialect's switches stands; KeyError if it has none of that name."""
        usual = self.dialect.switches[name]
        return self.switches.get(name, usual)

    def next_number(self, kind: str) -> str:
        """A numeric id of a kind (see ``Dialect.new_id``) that was never given before."""
        tables: dict[str, Sequence[str]] = {
            "link": list(self.links),
            "line_item": list(self.line_items),
            "deployment": [d.partition(":")[0] for t in self.tools.values() for d in t.deployments],
        }
        given = max((int(key) for key in tables[kind] if key.isdecimal()), default=0)
        self.last_numbers[kind] = 1 + max(given, self.last_numbers.get(kind, 0))
        return str(self.last_numbers[kind])

    def user_id(self, person_id: str, course_id: str | None = None) -> str:
        """The ``sub`` of a person, by which services know them too."""
        return self.dialect.subject(self.people[person_id], self.courses.get(course_id or ""))

    # -- addresses -----------------------------------------------------------------------------

    def url(self, path: str) -> str:
        """The absolute URL of a path."""
        return f"{self.base_url}{path}"

    def endpoint_url(self, endpoint: str, **ids: str) -> str:
        """The address of one of the dialect's endpoints; empty where the LMS does not have it."""
        path = self.dialect.paths.get(endpoint, "")
        for name, value in ids.items():
            path = path.replace(f"<{name}>", quote(value, safe=""))
        return self.url(path) if path else ""

    def service_url(self, endpoint: str, tool: Tool, course: Course, **ids: str) -> str:
        """The address of a service for a tool in a course, with the dialect's query."""
        dialect, query = self.dialect, self.dialect.service_query(endpoint, tool)
        course_id, tool_id = dialect.course_path_id(course), dialect.tool_path_id(tool)
        base = self.endpoint_url(endpoint, course_id=course_id, tool_id=tool_id, **ids)
        return base + (f"?{query}" if query else "")

    def course_at(self, path_id: str) -> Course | None:
        """The course that a service address names."""
        found = self.courses.get(path_id)
        if found is not None and self.dialect.course_path_id(found) == path_id:
            return found
        named = (c for c in self.courses.values() if self.dialect.course_path_id(c) == path_id)
        return next(named, None)

    @property
    def auth_url(self) -> str:
        return self.endpoint_url("auth")

    @property
    def token_url(self) -> str:
        return self.endpoint_url("token")

    @property
    def jwks_url(self) -> str:
        return self.endpoint_url("jwks")

    @property
    def configuration_url(self) -> str:
        return self.endpoint_url("openid_configuration")

    # -- people and courses --------------------------------------------------------------------

    def add_person(self, person_id: str, name: str = "", **fields: Any) -> Person:
        """A new account; names default from ``name``. Fields as in :class:`Person`."""
        given, _, family = name.partition(" ")
        person = Person(person_id, name, **({"given_name": given, "family_name": family} | fields))
        with self.lock:
            self.people[person_id] = person
            self.on_change()
        return person

    def add_course(self, course_id: str, title: str = "", **fields: Any) -> Course:
        with self.lock:
            self.courses[course_id] = course = Course(course_id, title, **fields)
            self.on_change()
        return course

    def add_page(self, course_id: str, title: str, text: str, module: str) -> None:
        with self.lock:
            self.courses[course_id].pages.append(Page(title, text, module))
            self.on_change()

    def enrol(self, course_id: str, person_id: str, *roles: str, active: bool = True) -> Enrolment:
        """Put a person into a course, or change their roles there. No role named: Learner."""
        with self.lock:
            if person_id not in self.people:
                raise KeyError(person_id)
            enrolment = Enrolment(list(roles or ("Learner",)), active)
            self.courses[course_id].enrolments[person_id] = enrolment
            self.on_change()
        return enrolment

    def unenrol(self, course_id: str, person_id: str) -> None:
        with self.lock:
            del self.courses[course_id].enrolments[person_id]
            self.on_change()

    def copy_course(self, course_id: str, new_id: str, title: str = "") -> Course:
        """A copy without people and grades: new context, link and line item ids, same custom and url."""
        with self.lock:
            old = self.courses[course_id]
            new = copy.deepcopy(old)
            new.id, new.title, new.enrolments = new_id, title or f"{old.title} (copy)", {}
            new.history = [self.dialect.context_id(old), *old.history]
            new.deployment_ids = {
                client: self.add_deployment(client, new_id) for client in old.deployment_ids
            }
            self.courses[new_id] = new
            for link in self.links_in(course_id):
                twin = copy.deepcopy(link)
                twin.id, twin.course_id = self.dialect.new_id(self, "link"), new_id
                twin.deployment_id = new.deployment_ids.get(twin.client_id, twin.deployment_id)
                twin.history = [link.id, *link.history]
                self.links[twin.id] = twin
                for item in self.line_items_of(link.id):
                    column = copy.deepcopy(item)
                    column.id = self.dialect.new_id(self, "line_item")
                    column.course_id, column.resource_link_id = new_id, twin.id
                    column.grades, column.history = {}, []
                    self.line_items[column.id] = column
            self.on_change()
        self.dialect.after_copy(self, old, new)
        return new

    def set_published(self, link_id: str, published: bool = True) -> None:
        """Show a link and its columns to learners, or hide them. A hidden module hides it all the same."""
        with self.lock:
            self.links[link_id].published = published
            for item in self.line_items_of(link_id):
                item.published = published
            self.on_change()

    def publish_module(self, course_id: str, module: str) -> None:
        """Show a module and all links in it to learners."""
        with self.lock:
            hidden = self.courses[course_id].unpublished_modules
            hidden[:] = [name for name in hidden if name != module]
            for link in self.links_in(course_id):
                if link.module == module:
                    self.set_published(link.id)

    def is_visible(self, link: Link) -> bool:
        """Whether learners see a link."""
        return link.published and link.module not in self.courses[link.course_id].unpublished_modules

    # -- tools, links, columns -----------------------------------------------------------------

    def add_tool(
        self,
        client_id: str,
        login_url: str,
        redirect_uris: Sequence[str],
        jwks_url: str = "",
        deep_link_url: str = "",
        deployment_id: str = "1",
        **fields: Any,
    ) -> Tool:
        """Register a tool. More deployments: ``deployments=[...]``. Fields as in :class:`Tool`."""
        fields.setdefault("deployments", [deployment_id])
        fields.setdefault("launch_url", redirect_uris[0])
        tool = Tool(client_id, login_url, list(redirect_uris), jwks_url, deep_link_url, **fields)
        with self.lock:
            self.tools[client_id] = tool
            self.on_change()
        return tool

    def add_deployment(self, client_id: str, course_id: str | None = None) -> str:
        """Install a tool once more, in one course if named there; gives the new deployment id."""
        with self.lock:
            made = self.dialect.new_id(self, "deployment")
            self.tools[client_id].deployments.append(made)
            if course_id in self.courses:
                self.courses[course_id].deployment_ids[client_id] = made
            self.on_change()
        return made

    def add_link(
        self,
        course_id: str,
        title: str = "",
        *,
        link_id: str | None = None,
        client_id: str | None = None,
        deployment_id: str | None = None,
        score_maximum: float | None = None,
        resource_id: str = "",
        tag: str = "",
        **fields: Any,
    ) -> Link:
        """A link in a course, to the only tool unless named; with ``score_maximum`` also its column."""
        with self.lock:
            tool = self.tools[client_id] if client_id else self.only_tool()
            link = Link(
                id=link_id or self.dialect.new_id(self, "link"),
                course_id=course_id,
                client_id=tool.client_id,
                deployment_id=deployment_id or self.deployment_in(course_id, tool),
                title=title,
                **({"url": tool.launch_url} | fields),
            )
            self.links[link.id] = link
            if score_maximum is not None:
                self.add_line_item(
                    course_id,
                    title,
                    score_maximum,
                    client_id=tool.client_id,
                    resource_link_id=link.id,
                    resource_id=resource_id,
                    tag=tag,
                )
            self.on_change()
        return link

    def deployment_in(self, course_id: str, tool: Tool) -> str:
        """The deployment that stands for a tool in a course."""
        return self.courses[course_id].deployment_ids.get(tool.client_id, tool.deployments[0])

    def add_line_item(
        self,
        course_id: str,
        label: str,
        score_maximum: float,
        *,
        line_item_id: str | None = None,
        client_id: str | None = None,
        **fields: Any,
    ) -> LineItem:
        """A gradebook column of a tool. Fields as in :class:`LineItem`."""
        with self.lock:
            owner = client_id or self.only_tool().client_id
            made = line_item_id or self.dialect.new_id(self, "line_item")
            item = LineItem(made, course_id, owner, label, float(score_maximum), **fields)
            self.line_items[item.id] = item
            self.on_change()
        return item

    def remove_link(self, link_id: str) -> None:
        """Delete a link and its columns."""
        with self.lock:
            del self.links[link_id]
            for item in self.line_items_of(link_id):
                del self.line_items[item.id]
            self.on_change()

    def only_tool(self) -> Tool:
        """The registered tool, where there is one; LookupError otherwise."""
        if len(self.tools) != 1:
            raise LookupError("name the client_id: this platform does not have exactly one tool")
        return next(iter(self.tools.values()))

    def links_in(self, course_id: str) -> list[Link]:
        return [link for link in self.links.values() if link.course_id == course_id]

    def line_items_in(self, course_id: str) -> list[LineItem]:
        return [item for item in self.line_items.values() if item.course_id == course_id]

    def line_items_of(self, link_id: str) -> list[LineItem]:
        return [item for item in self.line_items.values() if item.resource_link_id == link_id]

    # -- people's own doings in the gradebook --------------------------------------------------

    def override_grade(
        self, line_item_id: str, person_id: str, score: float | None, comment: str | None = None
    ) -> Grade:
        """A teacher writes a grade into the gradebook by hand, in points of the column."""
        with self.lock:
            item = self.line_items[line_item_id]
            grade = item.grades.setdefault(person_id, Grade())
            grade.score, grade.maximum, grade.from_teacher = score, item.score_maximum, score is not None
            if comment is not None:
                grade.comment = comment
            body = {"score": score, "comment": grade.comment}
            item.history.append(
                ScoreEvent(self.clock(), person_id, "teacher", body, True, "set in the gradebook")
            )
            self.on_change()
        return grade

    def edit_line_item(self, line_item_id: str, **fields: Any) -> LineItem:
        """A teacher changes a column (label, score_maximum ...); grades keep their share of the maximum."""
        with self.lock:
            item = self.line_items[line_item_id]
            for name, value in fields.items():
                setattr(item, name, value)
            self.on_change()
        return item

    def shown_score(self, line_item_id: str, person_id: str) -> float | None:
        """The number the gradebook shows, in points of the column; None for an empty cell."""
        item = self.line_items[line_item_id]
        grade = item.grades.get(person_id)
        if grade is None or grade.score is None:
            return None
        return round(grade.score / grade.maximum * item.score_maximum, 6)

    def flag_grade(self, line_item_id: str, person_id: str, flag: str) -> Grade:
        """A teacher puts one of the dialect's marks beside a grade, or takes it away ("")."""
        with self.lock:
            grade = self.line_items[line_item_id].grades.setdefault(person_id, Grade())
            grade.flag = flag
            self.on_change()
        return grade

    def visible_line_items(self, course_id: str, staff: bool = True) -> list[LineItem]:
        """The columns that the gradebook shows; learners do not see unpublished ones."""
        if not self.courses[course_id].grading_categories:
            return []
        items = [item for item in self.line_items_in(course_id) if item.in_gradebook]
        return [item for item in items if staff or item.published]

    # -- keys, sessions, notices ---------------------------------------------------------------

    def rotate_keys(self, key: SigningKey | None = None, *, keep_old: bool = True) -> SigningKey:
        """A new signing key; the old ones stay in the JWKS unless ``keep_old`` is false."""
        with self.lock:
            new = self.keys.rotate(key, keep_old=keep_old)
            self.on_change()
        return new

    def retire_key(self, kid: str) -> None:
        """Take a key out of the JWKS; ValueError for the one that signs."""
        with self.lock:
            self.keys.retire(kid)
            self.on_change()

    def revoke_access_tokens(self) -> None:
        with self.lock:
            self.access_tokens.clear()

    def tell(self, person_id: str, kind: str, text: str) -> None:
        """A notice that the person sees once, on the next page."""
        with self.lock:
            self.notices.setdefault(person_id, []).append((kind, text))

    def take_notices(self, person_id: str) -> list[tuple[str, str]]:
        with self.lock:
            return self.notices.pop(person_id, [])

    def first_use(self, client_id: str, value: str, expires_at: datetime) -> bool:
        """Remember a jti or nonce of a tool; False if it was seen and has not yet expired."""
        with self.lock:
            now = self.clock()
            self.seen = {key: until for key, until in self.seen.items() if until > now}
            if (client_id, value) in self.seen:
                return False
            self.seen[client_id, value] = max(expires_at, now) + timedelta(minutes=5)
            return True
