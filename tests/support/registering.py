"""An LMS that registers the tool dynamically, and what the tool stored of it."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from werkzeug.test import TestResponse

import demo_lms
from demo_lms.registration import configuration_url, new_registration_token
from lti_tool import invitations, registrations
from lti_tool.models import Deployment, Invitation, Registration
from microcred.people import ensure_organization
from tests.support.lti import TOOL, World

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


@dataclass
class Lms:
    """A running LMS whose issuer is its own address, and the administrator's browser."""

    world: World
    platform: demo_lms.Platform
    server: demo_lms.Server

    def invite(self, lms: str = "other", organization: str = "district-1") -> str:
        """An invitation's secret."""
        now = self.world.clock.now()
        with self.world.database.writing() as session:
            owner = ensure_organization(
                session, code=organization, name=organization, kind="district", now=now
            )
            return invitations.invite(session, organization_id=owner.id, lms=lms, now=now)[0]

    def query(self, invitation: str | None) -> dict[str, str]:
        """What the LMS adds to the registration address."""
        token = new_registration_token(self.platform)
        query = {
            "openid_configuration": configuration_url(self.platform, token),
            "registration_token": token,
        }
        return query if invitation is None else {**query, "invitation": invitation}

    def register(self, invitation: str | None = None, **changes: str | None) -> TestResponse:
        """Open the registration address as the LMS does; a change of None leaves a parameter out."""
        query = {**self.query(invitation), **changes}
        given = {name: value for name, value in query.items() if value is not None}
        return self.world.app.test_client().get("/lti/register", base_url=TOOL, query_string=given)

    def asked(self) -> dict[str, Any]:
        """The body of the newest registration request."""
        found: dict[str, Any] = json.loads(self.platform.log.all("register")[-1].body)
        return found


def lms(world: World, platform: demo_lms.Platform, server: demo_lms.Server) -> Lms:
    """`platform` under its own address."""
    platform.issuer = server.url
    return Lms(world, platform, server)


def stored(world: World) -> list[Registration]:
    """Registrations beside site A, oldest first."""
    with world.database.reading() as session:
        rows = session.scalars(select(Registration).order_by(Registration.id)).all()
        return [row for row in rows if row.id != world.a.facts.row_id]


def deployments(world: World, row: Registration) -> list[Deployment]:
    """The deployments of a registration."""
    with world.database.reading() as session:
        return registrations.deployments(session, row.public_id)


def unused_invitations(world: World) -> int:
    """How many may still be used."""
    with world.database.reading() as session:
        return (
            session.scalar(select(func.count()).select_from(Invitation).where(Invitation.used_at.is_(None)))
            or 0
        )
