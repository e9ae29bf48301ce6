"""Everybody of a term: who they are, what offices they hold, and their stories begun."""

from dataclasses import dataclass

from tests.term.issuers import Approver, Coordinator
from tests.term.reviewers import Reviewer
from tests.term.teachers import Teacher
from tests.term.world import Term

_BOTH = 3
"""Reviewers who are teachers too: their own work is somebody else's to read."""


@dataclass(frozen=True)
class People:
    """Who is there."""

    teachers: list[Teacher]
    reviewers: list[Reviewer]
    approvers: list[Approver]


def settle(term: Term) -> People:
    """Let everybody join, and begin."""
    size, world, join = term.size, term.world, term.world.join
    # What comes in a day at most, shared among those who are there, with room for second readings.
    reads = max(3, round(size.teachers / size.reviewers / 9))
    reading = [world.reviewer, world.other_reviewer]
    reading += [join(f"Demoreader{number} Readername", "reviewer") for number in range(size.reviewers - 2)]
    readers = [Reviewer(term, number, person, reads) for number, person in enumerate(reading)]
    deciding = [world.approver]
    deciding += [join(f"Demoapprover{n} Approvername", "approver") for n in range(size.approvers - 1)]
    approvers = [Approver(term, number, person) for number, person in enumerate(deciding)]
    coordinators = [
        Coordinator(term, number, join(f"Democoordinator{number} Staffname"))
        for number in range(size.coordinators)
    ]
    own = reading[:_BOTH]
    teachers = [
        Teacher(term, number, own[number] if number < len(own) else join(f"Demo{number} Teachername"))
        for number in range(size.teachers)
    ]
    lives = [one.life() for one in teachers]
    lives += [one.life() for one in readers]
    lives += [one.life() for one in approvers]
    for life in [*lives, *(one.life() for one in coordinators)]:
        term.begin(life)
    return People(teachers, readers, approvers)
