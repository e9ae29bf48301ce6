"""Claim names and vocabularies (LTI Core 1.3, AGS 2.0, NRPS 2.0, Deep Linking 2.0)."""

_P = "https://purl.imsglobal.org/spec"

MESSAGE_TYPE = f"{_P}/lti/claim/message_type"
VERSION = f"{_P}/lti/claim/version"
DEPLOYMENT_ID = f"{_P}/lti/claim/deployment_id"
TARGET_LINK_URI = f"{_P}/lti/claim/target_link_uri"
RESOURCE_LINK = f"{_P}/lti/claim/resource_link"
ROLES = f"{_P}/lti/claim/roles"
CONTEXT = f"{_P}/lti/claim/context"
LAUNCH_PRESENTATION = f"{_P}/lti/claim/launch_presentation"
CUSTOM = f"{_P}/lti/claim/custom"
FOR_USER = f"{_P}/lti/claim/for_user"
AGS = f"{_P}/lti-ags/claim/endpoint"
NRPS = f"{_P}/lti-nrps/claim/namesroleservice"
DL_SETTINGS = f"{_P}/lti-dl/claim/deep_linking_settings"
DL_CONTENT_ITEMS = f"{_P}/lti-dl/claim/content_items"
DL_DATA = f"{_P}/lti-dl/claim/data"
DL_MSG = f"{_P}/lti-dl/claim/msg"
PNS = f"{_P}/lti/claim/platformnotificationservice"
NOTICE = f"{_P}/lti/claim/notice"
ORIGIN_CONTEXTS = f"{_P}/lti/claim/origin_contexts"

TOOL_CONFIGURATION = f"{_P}/lti-tool-configuration"
PLATFORM_CONFIGURATION = f"{_P}/lti-platform-configuration"

SCOPE_LINE_ITEM = f"{_P}/lti-ags/scope/lineitem"
SCOPE_LINE_ITEM_READ = f"{_P}/lti-ags/scope/lineitem.readonly"
SCOPE_RESULT_READ = f"{_P}/lti-ags/scope/result.readonly"
SCOPE_SCORE = f"{_P}/lti-ags/scope/score"
SCOPE_MEMBERS = f"{_P}/lti-nrps/scope/contextmembership.readonly"
SCOPE_NOTICES = f"{_P}/lti/scope/noticehandlers"
SCOPES = (
    SCOPE_LINE_ITEM,
    SCOPE_LINE_ITEM_READ,
    SCOPE_RESULT_READ,
    SCOPE_SCORE,
    SCOPE_MEMBERS,
    SCOPE_NOTICES,
)
"""All that the tool ever asks for."""

RESOURCE_LINK_REQUEST = "LtiResourceLinkRequest"
DEEP_LINKING_REQUEST = "LtiDeepLinkingRequest"
DEEP_LINKING_RESPONSE = "LtiDeepLinkingResponse"
SUBMISSION_REVIEW_REQUEST = "LtiSubmissionReviewRequest"
DATA_PRIVACY_REQUEST = "DataPrivacyLaunchRequest"
MESSAGE_TYPES = frozenset(
    {RESOURCE_LINK_REQUEST, DEEP_LINKING_REQUEST, SUBMISSION_REVIEW_REQUEST, DATA_PRIVACY_REQUEST}
)
HELLO_NOTICE = "LtiHelloWorldNotice"
CONTEXT_COPY_NOTICE = "LtiContextCopyNotice"
NOTICE_TYPES = frozenset({HELLO_NOTICE, CONTEXT_COPY_NOTICE})

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
