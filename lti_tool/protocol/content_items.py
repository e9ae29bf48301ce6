"""Deep linking content items on the wire (Deep Linking 2.0, 4.5 and 4.6), through PyLTI1p3's models."""

from collections.abc import Mapping
from typing import Any

from pylti1p3.deep_link_resource import DeepLinkResource
from pylti1p3.lineitem import LineItem


def lti_resource_link(
    *,
    url: str,
    title: str,
    custom: Mapping[str, str],
    line_item: Mapping[str, Any] | None,
    icon_url: str | None,
) -> dict[str, Any]:
    """An `ltiResourceLink` item. `line_item` has scoreMaximum, label, resourceId, tag as AGS names them."""
    resource = DeepLinkResource().set_url(url).set_title(title).set_custom_params(dict(custom))
    if line_item is not None:
        # Its TypedDict allows whole points only.
        resource.set_lineitem(LineItem(line_item))  # type: ignore[arg-type]
    if icon_url is not None:
        resource.set_icon_url(icon_url)
    return dict(resource.to_dict())
