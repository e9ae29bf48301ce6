"""Moodle 4.5 to 5.1, as seen live and read in `mod/lti`."""

from collections.abc import Mapping

from lti_tool.dialects import choosing, mending, plain
from lti_tool.dialects.base import FINAL_MOMENTS, Dialect, Reading
from lti_tool.dialects.registering import CONTEXT_HISTORY, HISTORIES, Registering


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """A 200 with `[]` is a refusal whose reason PHP could not send; the body of a success is empty."""
    if status == 200 and body.strip() == b"[]":
        return Reading("blocked", "config_error")
    if status == 400:
        # Learner without a gradebook role is the one case our own bodies can meet; the reason phrase is not
        # kept.
        return Reading("blocked", "user_not_in_course")
    if status == 403:
        return Reading("blocked", "course_closed")
    return plain.classify(status, headers, body)


MOODLE = Dialect(
    name="moodle",
    classify=classify,
    moments=FINAL_MOMENTS,
    comment="always",
    pages_line_items=False,
    nobody="999999999",
    escapes_members=True,
    link_names_column=True,
    says_of_links=choosing.moodle,
    learner_word="Student",
    mending=mending.MOODLE,
    registering=Registering(
        families=("moodle",),
        # `$ResourceLink.id.history` stays as it is written.
        variables={CONTEXT_HISTORY: HISTORIES[CONTEXT_HISTORY]},
        where_to_paste=(
            "In Site administration, Plugins, External tool, Manage tools: paste the address into Tool URL,"
            " press Add LTI Advantage. If Moodle asks whether to update a tool, choose to register a new one."
        ),
        next_steps=(
            "In Site administration, Plugins, External tool, Manage tools: press Activate on the new tool.",
            "In each course that will use it (More, LTI External tools): switch on Show in activity chooser.",
        ),
    ),
)
