"""What a launch opens: the placement behind its link."""

from datetime import datetime

from sqlalchemy.orm import Session

from lti_tool.sessions import PageSession
from microcred.placements import Place, Placement, of_link, settle


def place_of(launch: PageSession) -> Place:
    """Where a launch stands."""
    return Place(
        deployment_id=launch.deployment_row_id,
        organization_id=launch.organization_id,
        context_id=launch.context_row_id,
        resource_link_id=launch.resource_link_row_id,
    )


def placement_of(session: Session, launch: PageSession) -> Placement | None:
    """The placement of the launch's link, as it stands; reads only."""
    return of_link(session, launch.resource_link_row_id) if launch.resource_link_row_id is not None else None


def arrive(session: Session, launch: PageSession, now: datetime) -> Placement | None:
    """The placement of the launch's link, tied to it by its first launch; None where the link names none."""
    return settle(
        session, custom=dict(launch.custom), place=place_of(launch), lineitem_url=launch.lineitem_url, now=now
    )
