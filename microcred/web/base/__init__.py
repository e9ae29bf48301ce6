"""What every page stands on: surfaces and rights, forms, errors, headers, layout, pictures.

For the audiences' packages: make a `flask.Blueprint`, take `surface()`, `actor()` and `page_url()` from here,
extend `base/layout.html`, put `{{ m.token() }}` into every form that changes something, and name each field
that holds a person's own words `text` or `text-<something>`: it is shown again when the session has ended.
"""

from microcred.web.base.art import badge_art, ring
from microcred.web.base.headers import allow_frames, content_security_policy
from microcred.web.base.incoming import BodyTooLarge, request_id, takes_files, wants_fragment
from microcred.web.base.memory import open_in_memory
from microcred.web.base.refusal import render_refusal
from microcred.web.base.setup import init_web
from microcred.web.base.surface import Surface, actor, has_surface, page_url, surface

__all__ = [
    "BodyTooLarge",
    "Surface",
    "actor",
    "allow_frames",
    "badge_art",
    "content_security_policy",
    "has_surface",
    "init_web",
    "open_in_memory",
    "page_url",
    "render_refusal",
    "request_id",
    "ring",
    "surface",
    "takes_files",
    "wants_fragment",
]
