"""Setting an LMS up: exactly what to copy into it, and exactly what to write down from it."""

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.dialects import dialect_named
from lti_tool.dialects.setting_up import STEPS, to_copy
from lti_tool.dialects.sites import SITES, Endpoints, Site, site_of
from lti_tool.models import LMS_KINDS
from lti_tool.registrations import NewRegistration
from microcred.operations import platforms
from microcred.operations.errors import OperationRefused
from microcred.web.admin.platforms import LMS_WORDS
from microcred.web.base import actor, page_url, surface, wording
from microcred.web.services import services

blueprint = Blueprint("setting_up", __name__)

_ENDPOINTS = ("issuer", "auth_url", "token_url", "jwks_url")


@blueprint.get("/platforms/set-up")
def start() -> ResponseReturnValue:
    """Which LMS it is."""
    with services().database.reading() as session:
        platforms.own_organizations_of(session, actor())
    return render_template("admin/set_up.html", kinds=LMS_WORDS)


@blueprint.get("/platforms/set-up/<lms>")
def one(lms: str) -> ResponseReturnValue:
    """The page of one LMS; `site` chooses among its sites."""
    return _page(lms)


@blueprint.post("/platforms/set-up/<lms>/invite")
def invite(lms: str) -> ResponseReturnValue:
    """An address for dynamic registration, shown once."""
    _known(lms)
    used = services()
    try:
        with used.database.writing() as session:
            code = request.form.get("organization", "")
            made = platforms.invite_platform(session, actor(), lms, code, used.clock.now())
    except OperationRefused as refused:
        return _refused(lms, refused)
    url = f"{used.lti.settings.register_url}?invitation={made.secret}"
    return _page(lms, invitation=url, until=wording.date(made.expires_at, surface().zone))


@blueprint.post("/platforms/set-up/<lms>")
def add(lms: str) -> ResponseReturnValue:
    """Register it with what was written down."""
    site, used, form = _site(lms), services(), request.form
    try:
        new = _registration(lms, site)
        with used.database.writing() as session:
            public_id = platforms.add_platform(
                session,
                actor(),
                new,
                form.get("organization", ""),
                used.clock,
                used.lti.settings.allow_hosts,
            )
    except OperationRefused as refused:
        return _refused(lms, refused)
    return redirect(page_url("platforms.show", public_id=public_id, ok="approved"), 303)


def _registration(lms: str, site: Site) -> NewRegistration:
    """Raises OperationRefused where something is missing."""
    given = {name: value.strip() for name, value in request.form.items()}
    endpoints = _endpoints(site, given)
    if not given.get("client_id") or len(given["client_id"]) > 255:
        raise OperationRefused("incomplete", "Write the client id that your LMS shows. Nothing was added.")
    deployment = given.get("deployment_id", "")
    return NewRegistration(
        name=given.get("name", "")[:300] or site.label,
        lms=lms,
        issuer=endpoints.issuer,
        client_id=given["client_id"],
        auth_url=endpoints.auth_url,
        token_url=endpoints.token_url,
        jwks_url=endpoints.jwks_url,
        deployment_ids=(deployment,) if deployment else (),
        separate_site="separate_site" in given,
        is_test_site=site.is_test,
    )


def _endpoints(site: Site, given: dict[str, str]) -> Endpoints:
    if site.endpoints is not None:
        return site.endpoints
    if site.of_address is not None:
        address = given.get("address", "").rstrip("/")
        if not address.startswith(("https://", "http://")):
            raise OperationRefused(
                "incomplete", "Write your LMS's address with https:// in front. Nothing was added."
            )
        return site.of_address(address)
    if not all(given.get(name) for name in _ENDPOINTS):
        raise OperationRefused("incomplete", "Write all four addresses of your LMS. Nothing was added.")
    return Endpoints(*(given[name] for name in _ENDPOINTS))


def _known(lms: str) -> None:
    if lms not in LMS_KINDS:
        abort(404)


def _site(lms: str) -> Site:
    _known(lms)
    return site_of(lms, request.values.get("site", "")) or SITES[lms][0]


def _page(lms: str, *, problem: str = "", invitation: str = "", until: str = "") -> str:
    site, used = _site(lms), services()
    with used.database.reading() as session:
        organizations = platforms.own_organizations_of(session, actor())
    registering = dialect_named(lms).registering
    return render_template(
        "admin/set_up_lms.html",
        lms=lms,
        title=LMS_WORDS[lms],
        site=site,
        sites=SITES[lms],
        organizations=organizations,
        fields=to_copy(lms, used.lti.settings),
        steps=STEPS[lms],
        offers_dynamic=registering.offered,
        how_to_invite=(registering.where_to_paste, *registering.next_steps),
        values=request.form,
        problem=problem,
        invitation=invitation,
        until=until,
    )


def _refused(lms: str, refused: OperationRefused) -> ResponseReturnValue:
    if refused.status == 403:
        raise refused
    return _page(lms, problem=refused.message), refused.status
