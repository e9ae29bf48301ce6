"""The self-test of each LMS that has been opened from a course, for `microcred doctor`."""

from collections.abc import Iterator

from grade_passback import self_test
from microcred.app.wiring import Assembly
from microcred.operations import self_testing


def try_platforms(assembly: Assembly) -> Iterator[tuple[str, bool, str]]:
    """(name, ok, what to say) of each step of each platform; what could not be tried yet is no fault."""
    with assembly.database.reading() as session:
        subjects = self_testing.launched(session)
    for name, subject in subjects:
        when = f"on {subject.launched_at:%Y-%m-%d at %H:%M} UTC" if subject.launched_at else ""
        for tried in self_test.try_all(assembly.lti.services, subject, when, assembly.clock.now()):
            yield f"self-test of {name}, {tried.step}", tried.ok is not False, tried.says
