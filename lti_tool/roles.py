"""From an LMS's roles to rights in this course (DESIGN section 4). Only context roles count.

Learner: read, submit. Instructor, Administrator, ContentDeveloper: read, place, see_progress.
TeachingAssistant: read, see_progress. Any other sub-role counts as its principal role.
Mentor: nothing. Anything else, and nothing: read.
"""

from collections.abc import Iterable

from lti_tool.protocol.names import MEMBERSHIP, TEST_USER

READ = frozenset({"read"})
LEARNER = frozenset({"read", "submit"})
STAFF = frozenset({"read", "place", "see_progress"})
ASSISTANT = frozenset({"read", "see_progress"})
NOTHING: frozenset[str] = frozenset()

_PRINCIPAL = {
    "Learner": LEARNER,
    "Instructor": STAFF,
    "Administrator": STAFF,
    "ContentDeveloper": STAFF,
    "Mentor": NOTHING,
}
# Certification, Moodle's roster and old platforms send short names; they mean context roles (Core A.2).
_SHORT = {**_PRINCIPAL, "Student": LEARNER, "TeachingAssistant": ASSISTANT}


def rights_of(roles: Iterable[str]) -> frozenset[str]:
    """Rights in the course for the roles of one launch.

    TeachingAssistant beside Instructor (as Canvas sends it) stays an assistant: the sub-role says what kind
    of instructor.
    """
    granted = [rights for role in roles if (rights := _rights(role)) is not None]
    if not granted:
        return READ
    if ASSISTANT in granted:
        granted = [rights for rights in granted if rights != STAFF]
    return frozenset().union(*granted)


def is_test_user(roles: Iterable[str]) -> bool:
    """Whether the LMS says that this is its test student: works as a learner, earns nothing real."""
    return TEST_USER in roles


def _rights(role: str) -> frozenset[str] | None:
    """What one role gives; None for a role that is none of this course's."""
    if role in _SHORT:
        return _SHORT[role]
    path, _, name = role.partition("#")
    if path == MEMBERSHIP:
        return _PRINCIPAL.get(name)
    if path.startswith(f"{MEMBERSHIP}/"):
        principal = path.removeprefix(f"{MEMBERSHIP}/")
        if principal == "Instructor" and name.startswith("TeachingAssistant"):
            return ASSISTANT
        # `membership/Learner#Instructor` is a kind of learner: the principal counts.
        return _PRINCIPAL.get(principal)
    return None
