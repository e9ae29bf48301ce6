"""What an LMS administrator pastes where the tool is not registered dynamically: Canvas takes one JSON,
Moodle and Schoology a form.

`configs/` holds the same for an example host; a test keeps them equal.
"""

from typing import Any

from lti_tool.dialects import dialect_named
from lti_tool.dialects.canvas import PLACEMENTS, PRIVACY_LEVEL
from lti_tool.dynamic_registration import DESCRIPTION, NAME
from lti_tool.protocol import names
from lti_tool.settings import LtiSettings

Fields = dict[str, str | list[str]]


def canvas_key(settings: LtiSettings) -> dict[str, Any]:
    """The JSON of an LTI key in Canvas (`doc/api/lti_dev_key_config.md`). Redirect URIs are entered beside
    it.
    """
    placements = [
        {
            "placement": placement,
            "enabled": True,
            "message_type": names.DEEP_LINKING_REQUEST,
            "target_link_uri": settings.deep_link_url,
            "text": label,
            "icon_url": settings.icon_url,
            "selection_width": 900,
            "selection_height": 700,
        }
        for placement, label in PLACEMENTS.items()
    ]
    return {
        "title": NAME,
        "description": DESCRIPTION,
        "target_link_uri": settings.launch_url,
        "oidc_initiation_url": settings.login_url(),
        "public_jwk_url": settings.jwks_url,
        "scopes": list(names.SCOPES),
        "custom_fields": dict(dialect_named("canvas").registering.variables),
        "extensions": [
            {
                "platform": "canvas.instructure.com",
                "domain": settings.base.split("://")[1],
                "tool_id": "microcred",
                "privacy_level": PRIVACY_LEVEL,
                "settings": {"text": NAME, "icon_url": settings.icon_url, "placements": placements},
            }
        ],
    }


def moodle_fields(settings: LtiSettings) -> Fields:
    """Moodle's form "Configure a tool manually", by the names of its fields."""
    variables = dialect_named("moodle").registering.variables
    return {
        "Tool name": NAME,
        "Tool URL": settings.launch_url,
        "Tool description": DESCRIPTION,
        "LTI version": "LTI 1.3",
        "Public key type": "Keyset URL",
        "Public keyset": settings.jwks_url,
        "Initiate login URL": settings.login_url(),
        "Redirection URI(s)": [settings.launch_url],
        "Custom parameters": [f"{name}={variable}" for name, variable in variables.items()],
        "Default launch container": "Embed, without blocks",
        "Supports Deep Linking (Content-Item Message)": "Yes",
        "Content Selection URL": settings.deep_link_url,
        "Icon URL": settings.icon_url,
        "IMS LTI Assignment and Grade Services": "Use this service for grade sync and column management",
        "IMS LTI Names and Role Provisioning": (
            "Use this service to retrieve members' information as per privacy settings"
        ),
        "Share launcher's name with tool": "Always",
        "Share launcher's email with tool": "Always",
        "Accept grades from the tool": "Delegate to teacher",
    }


def schoology_fields(settings: LtiSettings) -> Fields:
    """Schoology's form "Add App" of type LTI 1.3, by the names of its fields."""
    return {
        "Type of App": "LTI 1.3 App",
        "Name": NAME,
        "Description": DESCRIPTION,
        "Can be installed for": ["Course Materials"],
        "Configuration Type": "Manual",
        "Domain/URL": settings.launch_url,
        "OIDC Login Init URL": settings.login_url(),
        "Redirect URLs": [settings.launch_url],
        "Public key type": "Keyset URL",
        "Keyset URL": settings.jwks_url,
        "Privacy": "Send Name and Email/Username of user who launches the tool",
        "Advantage extensions": [
            "Deep Linking",
            "Assignment and Grade Services",
            "Names and Role Provisioning Services",
        ],
        "Use Unique Lineitem Identifiers for Linked Sections": "Yes",
    }


SETUPS = {"canvas": canvas_key, "moodle": moodle_fields, "schoology": schoology_fields}
"""By kind of LMS."""


def plain_fields(settings: LtiSettings) -> Fields:
    """What any LMS with LTI 1.3 asks for."""
    return {
        "Login initiation address": settings.login_url(),
        "Redirect address": settings.launch_url,
        "Launch address (target link)": settings.launch_url,
        "Deep linking address": settings.deep_link_url,
        "Public keys (JWKS) address": settings.jwks_url,
        "Scopes": list(names.SCOPES),
    }


def to_copy(lms: str, settings: LtiSettings) -> Fields:
    """What an administrator copies, by the names of the LMS's fields; Canvas fetches all but one itself."""
    if lms == "canvas":
        return {
            "Redirect URIs": [settings.launch_url],
            "Enter URL (JSON)": f"{settings.base}/lti/config/canvas.json",
        }
    return {"moodle": moodle_fields, "schoology": schoology_fields}.get(lms, plain_fields)(settings)


STEPS: dict[str, tuple[str, ...]] = {
    "canvas": (
        "In Canvas: Admin, Developer Keys, + Developer Key, + LTI Key. Method: Enter URL. Copy both values.",
        "Save, and set the key to On. The number under Details is the client id.",
        "Settings, Apps, View App Configurations, + App, By Client ID. Its menu shows the deployment id.",
        "Write both into the form below.",
    ),
    "moodle": (
        "In Moodle: Site administration, Plugins, External tool, Manage tools, Configure a tool manually."
        " Copy the values below.",
        "Save. On the tool's card, View configuration details shows client id and deployment id.",
        "Write both into the form below.",
        "In each course that will use it: More, LTI External tools, switch on Show in activity chooser.",
    ),
    "schoology": (
        "Open app.schoology.com/apps/publisher, Add App, type LTI 1.3 App, for Only people in my school."
        " Copy the values below.",
        "The client id is under Options, API Info on the app's profile.",
        "Install LTI 1.3 App, Add to Organization; then install it into the courses. Organization Apps,"
        " Configure shows the deployment id: two numbers with a hyphen.",
        "Write both into the form below. Where the tool has more than one app, copy the login address of the"
        " next page into OIDC Login Init URL: Schoology may begin a login without saying which app is meant.",
    ),
    "other": (
        "Register a tool for LTI 1.3 in your LMS with the values below.",
        "Write what the LMS shows then into the form below.",
    ),
}
"""What is done by hand, in order, in the words of the LMS's own pages."""
