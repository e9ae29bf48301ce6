"""Choosing credentials for a course: content items and the signed answer to the platform."""

from deep_linking.items import content_item
from deep_linking.response import Answer, answer, cancel

__all__ = ["Answer", "answer", "cancel", "content_item"]
