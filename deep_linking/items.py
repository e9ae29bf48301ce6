"""From a placement to the content item that a platform makes a link of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lti_tool.protocol.content_items import lti_resource_link
from microcred.credentials import Definition
from microcred.placements import CUSTOM_PLACEMENT, Placement


def content_item(
    placement: Placement,
    definition: Definition,
    *,
    launch_url: str,
    icon_url: str | None,
    accepts_lineitem: bool,
    link_names_column: bool = False,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The `ltiResourceLink` of a placement (Deep Linking 2.0, 4.5): title, text, custom ids, the first column
    as line item.

    Only the placement's first column travels with the link; further ones are made through AGS without a
    `resourceLinkId`, since a second line item on a link is invisible in Canvas and hides the first in Moodle.
    `link_names_column`: the platform has one name for the link and its column, which is the credential's.
    `variables` are custom values that the platform fills only where the link itself asks for them.
    Custom keys are lower case and values are single-line strings, which is what every platform keeps.
    """
    document = definition.document
    line_item = None
    if accepts_lineitem and placement.columns:
        column = placement.columns[0]
        line_item = {
            "scoreMaximum": column.score_maximum,
            "label": document.title if link_names_column else column.label,
            "resourceId": placement.public_id,
            "tag": column.tag,
        }
    item = lti_resource_link(
        url=launch_url,
        title=document.title,
        custom={
            **(variables or {}),
            CUSTOM_PLACEMENT: placement.public_id,
            "credential": definition.public_id,
        },
        line_item=line_item,
        icon_url=icon_url,
    )
    item["text"] = document.one_line
    if placement.open_from is not None:
        item["available"] = {"startDateTime": _utc(placement.open_from)}
    if placement.submit_by is not None:
        item["submission"] = {"endDateTime": _utc(placement.submit_by)}
    return item


def _utc(moment: datetime) -> str:
    """ISO 8601 in UTC; a moment just chosen still has the organization's zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
