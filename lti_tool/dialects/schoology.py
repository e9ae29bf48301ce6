"""Schoology: one platform for every district."""

from lti_tool.dialects import plain
from lti_tool.dialects.base import FINAL_MOMENTS, Dialect

SCHOOLOGY = Dialect(
    name="schoology",
    classify=plain.classify,
    service_hosts=("*.schoology.com",),
    moments=FINAL_MOMENTS,
    comment="always",
    only_changes=True,
)
