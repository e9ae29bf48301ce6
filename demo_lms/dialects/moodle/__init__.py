"""Moodle 4.5 to 5.1, as seen live on 5.1 and read in ``mod/lti``.

What is sent at launch is in ``launch``, the picker in ``picker``, AGS in ``grades``, the token endpoint,
members and errors in ``services``, dynamic registration in ``register``.
"""

from __future__ import annotations

from ...values import number_of
from ..base import Dialect
from ..parts import DeepLinkRules, Paging, TokenRules
from . import grades, launch, picker, register, services

_COURSE = "/mod/lti/services.php/<course_id>"
_ITEM = f"{_COURSE}/lineitems/<item_id>/lineitem"

MOODLE = Dialect(
    name="moodle",
    title="Moodle",
    product_family_code="moodle",
    version="2025100603.05",
    paths={
        "auth": "/mod/lti/auth.php",
        "token": "/mod/lti/token.php",
        "jwks": "/mod/lti/certs.php",
        "openid_configuration": "/mod/lti/openid-configuration.php",
        "register": "/mod/lti/openid-registration.php",
        "deep_link_return": "/mod/lti/contentitem_return.php",
        "lineitems": f"{_COURSE}/lineitems",
        "lineitem": _ITEM,
        "scores": f"{_ITEM}/scores",
        "results": f"{_ITEM}/results",
        "memberships": "/mod/lti/services.php/CourseSection/<course_id>/bindings/<tool_id>/memberships",
    },
    program_ids=("tbdJZXpYr3GPcKq", "1"),
    role_words={
        "Instructor": "Teacher",
        "Learner": "Student",
        "TeachingAssistant": "Non-editing teacher",
    },
    new_id=lambda state, kind: state.next_number(kind),
    new_kid=launch.new_kid,
    context_id=lambda course: str(number_of(course.id)),
    course_path_id=lambda course: str(number_of(course.id)),
    tool_path_id=lambda tool: tool.deployments[0],
    subject=lambda person, course: str(number_of(person.id)),
    login_hint=lambda person: str(number_of(person.id)),
    hint=launch.hint,
    storage_target="",
    hint_seconds=7200,  # as long as the session
    authorization_checks=launch.CHECKS,
    required_parameters=("client_id", "redirect_uri", "login_hint", "nonce", "lti_message_hint"),
    problems=launch.PROBLEMS,
    clean=launch.clean,
    always_state=True,
    token_seconds=60,
    roles=launch.roles,
    context_type=("CourseSection",),
    custom=launch.custom,
    finish_claims=launch.finish_claims,
    deep_link_settings=picker.SETTINGS,
    sends_data=False,
    return_url=picker.return_url,
    find_visit=picker.find_visit,
    finish_settings=picker.finish_settings,
    deep_link_rules=DeepLinkRules(answered_once=False),
    check_response=picker.check_response,
    plan_items=picker.plan_items,
    service_query=services.service_query,
    accepts=services.accepts,
    wrong_type_status=400,
    paging=Paging(cursor="from", encode=str, decode=int, drops=("role",), link=services.next_link),
    token_rules=TokenRules(media_type="text/html; charset=utf-8", jwks_seconds=86_400),
    find_client=services.find_client,
    access_token=services.access_token,
    oauth_error=services.oauth_error,
    token_refusals=services.REFUSALS,
    says_www_authenticate=False,
    error_body=services.error_body,
    error_type="application/json",
    error_reason=services.error_reason,
    echoes_new_items=True,
    create_item=grades.create_item,
    change_item=grades.change_item,
    delete_status=grades.delete_status,
    item_json=grades.item_json,
    check_score=grades.check_score,
    score=grades.score,
    read_time=grades.read_time,
    timestamp_step=1.0,
    stale_body=[],
    result_json=grades.result_json,
    allows_result_limit=False,
    member_roles=services.member_roles,
    has_role=lambda roles, wanted: wanted.rpartition("#")[2] in roles,
    member=services.member,
    find_rlid=services.find_rlid,
    lists_member=services.lists_member,
    member_message=services.member_message,
    key_problem=services.key_problem,
    registration=register.RULES,
    after_copy=grades.copy_loose_items,
)
