"""PyLTI1p3's wire models, for whoever builds scores, line items and content items."""

from pylti1p3.deep_link_resource import DeepLinkResource
from pylti1p3.grade import Grade
from pylti1p3.lineitem import LineItem

__all__ = ["DeepLinkResource", "Grade", "LineItem"]
