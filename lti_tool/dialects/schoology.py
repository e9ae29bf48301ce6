"""Schoology: one platform for every district."""

from lti_tool.dialects import choosing, mending, plain
from lti_tool.dialects.base import FINAL_MOMENTS, Dialect
from lti_tool.dialects.registering import Registering

SCHOOLOGY = Dialect(
    name="schoology",
    classify=plain.classify,
    service_hosts=("*.schoology.com",),
    moments=FINAL_MOMENTS,
    comment="always",
    only_changes=True,
    says_of_links=choosing.schoology,
    learner_word="Member",
    mending=mending.SCHOOLOGY,
    # It has no dynamic registration, and the app's own custom values are not sent when a link is opened.
    registering=Registering(offered=False, variables_on_links=True, next_steps=()),
)
