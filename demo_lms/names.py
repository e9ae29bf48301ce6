"""Names fixed by the 1EdTech specifications: claim URIs, scopes, roles, media types."""

from __future__ import annotations

from typing import Final

SPEC: Final = "https://purl.imsglobal.org/spec"

CLAIMS: Final[dict[str, str]] = {
    "message_type": f"{SPEC}/lti/claim/message_type",
    "version": f"{SPEC}/lti/claim/version",
    "deployment_id": f"{SPEC}/lti/claim/deployment_id",
    "target_link_uri": f"{SPEC}/lti/claim/target_link_uri",
    "resource_link": f"{SPEC}/lti/claim/resource_link",
    "roles": f"{SPEC}/lti/claim/roles",
    "role_scope_mentor": f"{SPEC}/lti/claim/role_scope_mentor",
    "context": f"{SPEC}/lti/claim/context",
    "tool_platform": f"{SPEC}/lti/claim/tool_platform",
    "launch_presentation": f"{SPEC}/lti/claim/launch_presentation",
    "lis": f"{SPEC}/lti/claim/lis",
    "custom": f"{SPEC}/lti/claim/custom",
    "for_user": f"{SPEC}/lti/claim/for_user",
    "deep_linking_settings": f"{SPEC}/lti-dl/claim/deep_linking_settings",
    "content_items": f"{SPEC}/lti-dl/claim/content_items",
    "data": f"{SPEC}/lti-dl/claim/data",
    "msg": f"{SPEC}/lti-dl/claim/msg",
    "log": f"{SPEC}/lti-dl/claim/log",
    "errormsg": f"{SPEC}/lti-dl/claim/errormsg",
    "errorlog": f"{SPEC}/lti-dl/claim/errorlog",
    "notice": f"{SPEC}/lti/claim/notice",
    "origin_contexts": f"{SPEC}/lti/claim/origin_contexts",
    "pns": f"{SPEC}/lti/claim/platformnotificationservice",
    "lti11_legacy_user_id": f"{SPEC}/lti/claim/lti11_legacy_user_id",
    "lti1p1": f"{SPEC}/lti/claim/lti1p1",
    "ags": f"{SPEC}/lti-ags/claim/endpoint",
    "nrps": f"{SPEC}/lti-nrps/claim/namesroleservice",
}
"""Short name to claim URI. Every place that takes claims by keyword accepts the short names."""

SCOPE_LINEITEM: Final = f"{SPEC}/lti-ags/scope/lineitem"
SCOPE_LINEITEM_READ: Final = f"{SPEC}/lti-ags/scope/lineitem.readonly"
SCOPE_RESULT_READ: Final = f"{SPEC}/lti-ags/scope/result.readonly"
SCOPE_SCORE: Final = f"{SPEC}/lti-ags/scope/score"
SCOPE_MEMBERS: Final = f"{SPEC}/lti-nrps/scope/contextmembership.readonly"
AGS_SCOPES: Final = (SCOPE_LINEITEM, SCOPE_LINEITEM_READ, SCOPE_RESULT_READ, SCOPE_SCORE)
ALL_SCOPES: Final = (*AGS_SCOPES, SCOPE_MEMBERS)
SCOPE_NOTICES: Final = f"{SPEC}/lti/scope/noticehandlers"

LINEITEM_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINEITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE_TYPE: Final = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS_TYPE: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

MEMBERSHIP: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership"
TEST_USER: Final = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
COURSE_OFFERING: Final = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"

ROLE_URIS: Final[dict[str, tuple[str, ...]]] = {
    "Instructor": (f"{MEMBERSHIP}#Instructor",),
    "Learner": (f"{MEMBERSHIP}#Learner",),
    "Mentor": (f"{MEMBERSHIP}#Mentor",),
    "Administrator": (f"{MEMBERSHIP}#Administrator",),
    "ContentDeveloper": (f"{MEMBERSHIP}#ContentDeveloper",),
    "TeachingAssistant": (f"{MEMBERSHIP}/Instructor#TeachingAssistant", f"{MEMBERSHIP}#Instructor"),
    "TestUser": (f"{MEMBERSHIP}#Learner", TEST_USER),
}
"""The LMS's own role names and the URIs that stand for them in a message (Core, appendix A)."""

ACTIVITY_PROGRESS: Final = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING_PROGRESS: Final = ("NotReady", "Failed", "Pending", "PendingManual", "FullyGraded")


class Absent:
    """The type of :data:`ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""Given as the value of a claim, header or form field: leave that member out."""


def with_overrides(values: dict[str, object], overrides: dict[str, object]) -> dict[str, object]:
    """``values`` with each override applied; ``ABSENT`` removes a member."""
    return {k: v for k, v in (values | overrides).items() if not isinstance(v, Absent)}


def by_uri(claims: dict[str, object]) -> dict[str, object]:
    """The same claims, short names of :data:`CLAIMS` replaced by their URIs."""
    return {CLAIMS.get(name, name): value for name, value in claims.items()}
