"""A small LMS that speaks LTI 1.3: for the demo, and as the independent platform of the tests."""

from .deep_linking import DeepLinkOutcome
from .dialects import CANVAS, DIALECTS, MOODLE, PLAIN, SCHOOLOGY, Dialect
from .errors import DeepLinkError, LaunchRefused
from .keys import KeyRing, SigningKey, TokenForm
from .login import FormPost, LoginInitiation, Refusal
from .names import ABSENT, CLAIMS, ROLE_URIS
from .platform import Platform
from .script import Reply, Request, RequestLog, Script
from .server import Server, create_app, serve

__all__ = [
    "ABSENT",
    "CANVAS",
    "CLAIMS",
    "DIALECTS",
    "MOODLE",
    "PLAIN",
    "ROLE_URIS",
    "SCHOOLOGY",
    "DeepLinkError",
    "DeepLinkOutcome",
    "Dialect",
    "FormPost",
    "KeyRing",
    "LaunchRefused",
    "LoginInitiation",
    "Platform",
    "Refusal",
    "Reply",
    "Request",
    "RequestLog",
    "Script",
    "Server",
    "SigningKey",
    "TokenForm",
    "create_app",
    "serve",
]
