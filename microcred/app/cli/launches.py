"""`microcred launches`: what was let in."""

import click
from sqlalchemy import select

from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from microcred.app.cli.common import application, json_option, show_json, show_table
from microcred.people.models import LmsIdentity


@click.group()
def launches() -> None:
    """Accepted launches."""


@launches.command("list")
@click.option(
    "--last", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many, newest first."
)
@json_option
def list_(last: int, as_json: bool) -> None:
    """The newest accepted launches."""
    with application() as app, app.database.reading() as session:
        rows = session.execute(
            select(
                Launch.public_id,
                Launch.created_at,
                Registration.public_id,
                Deployment.deployment_id,
                LmsIdentity.sub,
                Launch.message_type,
                Context.context_id,
                ResourceLink.resource_link_id,
                Launch.rights,
            )
            .join(Registration, Registration.id == Launch.registration_id)
            .join(Deployment, Deployment.id == Launch.deployment_id)
            .join(LmsIdentity, LmsIdentity.id == Launch.identity_id)
            .outerjoin(Context, Context.id == Launch.context_id)
            .outerjoin(ResourceLink, ResourceLink.id == Launch.resource_link_id)
            .order_by(Launch.id.desc())
            .limit(last)
        ).all()
    names = (
        "launch_id",
        "at",
        "registration_id",
        "deployment_id",
        "sub",
        "message_type",
        "context_id",
        "resource_link_id",
        "rights",
    )
    if as_json:
        show_json([dict(zip(names, (*row[:-1], sorted(row[-1])), strict=True)) for row in rows])
    else:
        show_table(names, [(*row[:-1], " ".join(sorted(row[-1]))) for row in rows])
