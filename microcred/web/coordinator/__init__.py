"""Pages of people who run a course: choosing a credential for it, and how it goes."""

from microcred.web.coordinator.choosing import blueprint as choosing
from microcred.web.coordinator.course import blueprint as course
from microcred.web.coordinator.roles import blueprint as roles
from microcred.web.coordinator.settings import blueprint as settings

__all__ = ["choosing", "course", "roles", "settings"]
