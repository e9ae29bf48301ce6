"""A world in which every page has something to show, and a browser for whoever is to look."""

from dataclasses import dataclass

from playwright.sync_api import BrowserContext

from microcred.operations.actor import Actor, actor_for_desk
from microcred.people import links
from microcred.web.base.surface import DESK_COOKIE
from tests.browser.test_teacher_pages import Site
from tests.functional.web.course import Course, Visitor


@dataclass
class Town:
    """The pages on a port of their own, and everybody who opens them."""

    site: Site
    launches: dict[str, Visitor]
    """People in a launch of the course, by where they stand: `writing`, `earned`, `coordinator`, ..."""
    desks: dict[str, int]
    """People at the desk, by office; `nobody` has none."""
    places: dict[str, str]
    """Ids that addresses need."""

    @property
    def course(self) -> Course:
        """The course and the tool behind it."""
        return self.site.course

    def address(self, context: BrowserContext, who: str, path: str) -> str:
        """Sign a browser in as somebody (`""` for a stranger); the address of a page."""
        path = path.format_map(self.places)
        if who in self.launches:
            return self.site.enter(context, self.launches[who]) + path
        if who:
            self.enter_desk(context, self.desks[who])
            return f"{self.site.origin}/desk/{path}"
        return f"{self.site.origin}/{path}"

    def enter_desk(self, context: BrowserContext, person_id: int) -> None:
        """Give a browser the cookie of a desk."""
        now = self.course.clock.now()
        with self.course.assembly.database.writing() as session:
            secret = links.enter(session, links.invite(session, person_id, now), now)
        context.add_cookies(
            [
                {
                    "name": DESK_COOKIE,
                    "value": secret,
                    "domain": "127.0.0.1",
                    "path": "/desk/",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )

    def actor(self, who: str) -> Actor:
        """Somebody at the desk, as operations know them."""
        with self.course.assembly.database.reading() as session:
            return actor_for_desk(session, self.desks[who], self.course.clock.now())
