"""Schoology, as PowerSchool documents it and others observed it; nothing of it was seen by us.

Where nobody knows, the specification's own rule is kept: timestamps, error bodies, an update without a score.
What is sent at launch is in ``launch``, the picker, grades and members in ``services``.
"""

from __future__ import annotations

from ..base import Dialect
from ..parts import DeepLinkRules, RegistrationRules, TokenRules
from . import launch, services

_TOOL = "/lti-service/tool/<tool_id>/services"
_ITEMS = f"{_TOOL}/assignment-grade/v2p0/sections/<course_id>/lineitems"

SCHOOLOGY = Dialect(
    name="schoology",
    title="Schoology",
    product_family_code="schoology",
    version="1.0",
    paths={
        "auth": "/lti-service/authorize-redirect",
        "token": "/lti-service/access-token",
        "jwks": "/lti-service/.well-known/jwks",
        "deep_link_return": "/lti-service/deep-link/<visit_id>",
        "lineitems": _ITEMS,
        "lineitem": f"{_ITEMS}/<item_id>",
        "scores": f"{_ITEMS}/<item_id>/scores",
        "results": f"{_ITEMS}/<item_id>/results",
        "result": f"{_ITEMS}/<item_id>/results/<person_id>",
        "memberships": f"{_TOOL}/names-roles/v2p0/membership/<course_id>",
    },
    switches={
        "login_client_id": False,  # captured logins of 2025 had none; whether it is sent today is not known
        "relaunch_omits": "",  # "title" or "context": seen under privacy settings
        "unique_line_items": False,  # "Use Unique Lineitem Identifiers for Linked Sections"
    },
    program_ids=("7485393815", "7485393815-1380426679"),
    menu_placement="courses",
    role_words={"Instructor": "Course admin", "Learner": "Member", "Mentor": "Parent"},
    flags=("Excused", "Incomplete", "Missing"),
    new_id=launch.new_id,
    context_id=launch.section_id,
    course_path_id=launch.section_id,
    subject=launch.subject,
    login_method="GET",
    login_fields=launch.login_fields,
    login_hint=launch.login_hint,
    hint=launch.hint,
    # Captures of 2025 had no storage target, its newer page names one: sent where storage is switched on.
    token_seconds=600,
    aud_as_list=True,
    roles=launch.roles,
    custom=launch.custom,
    claimed_item=launch.claimed_item,
    finish_claims=launch.finish_claims,
    deep_link_settings=launch.SETTINGS,
    deep_link_rules=DeepLinkRules(check_envelope=False),
    plan_items=services.plan_items,
    accepts=services.accepts,
    strict_content_type=False,
    max_page_sizes={"memberships": 100},
    token_rules=TokenRules(token_type="bearer", check_jti=False),
    create_item=services.create_item,
    item_json=services.item_json,
    score=services.score,
    score_status=201,
    member_roles=launch.member_roles,
    registration=RegistrationRules(offered=False),
    reviews_submissions=False,
)
