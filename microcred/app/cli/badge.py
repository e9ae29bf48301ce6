"""`microcred badge`: endorsements of credentials, and badges that are written anew."""

from datetime import UTC, date, datetime, time

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.app.cli.common import Failed, application, json_option, show_json
from microcred.app.wiring import Assembly
from microcred.badges import endorsing
from microcred.badges import lifecycle as badges
from microcred.badges.errors import FactsError
from microcred.credentials.models import Award, Credential, CredentialVersion
from microcred.operations import awards
from microcred.operations.errors import OperationRefused
from microcred.people import audit
from microcred.people.models import Organization


@click.group()
def badge() -> None:
    """Badges: endorse a credential, renew a badge, sign it anew."""


@badge.command()
@click.option("--credential", required=True, metavar="ID", help="Such as mc-shape-ideas.")
@click.option("--version", metavar="V", help="The newest published one if left out.")
@click.option("--by", "code", required=True, metavar="CODE", help="The organization that stands behind it.")
@click.option("--comment", required=True, help="What it says about the credential, in its own words.")
@json_option
def endorse(credential: str, version: str | None, code: str, comment: str, as_json: bool) -> None:
    """Sign an endorsement of a credential with the organization's key. Badges carry it from their next issue
    on; a second one by the same organization takes the place of the first.
    """
    with application() as app:
        with app.database.reading() as session:
            version_id = _version_id(session, credential, version)
            organization_id = session.scalar(select(Organization.id).where(Organization.code == code))
        if organization_id is None:
            raise Failed(
                f"There is no organization {code!r}. `catalogue import` brings issuers and universities."
            )
        public_id = _endorsed(app, version_id, organization_id, comment)
        address = app.badges.addresses.endorsement(public_id)
    if as_json:
        show_json({"endorsement": public_id, "address": address})
    else:
        click.echo(
            f"Signed: {address}. New badges carry it; `badge reissue ID` adds it to one issued before."
        )


@badge.command()
@click.argument("public_id", metavar="ID")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day, in UTC.")
@json_option
def renew(public_id: str, until: datetime, as_json: bool) -> None:
    """Let a badge that expires stand until a later day; one that has expired counts again. It keeps its
    address and is signed anew.
    """
    ends = datetime.combine(date(until.year, until.month, until.day), time(23, 59, 59), UTC)
    with application() as app, app.database.writing() as session:
        award = _award(session, public_id)
        try:
            awards.extend(session, award, until=ends, now=app.clock.now())
        except OperationRefused as refused:
            raise Failed(refused.message) from refused
    if as_json:
        show_json({"badge": public_id, "valid_until": ends})
    else:
        click.echo(f"The badge stands until {until:%Y-%m-%d}. It is signed anew in the background.")


@badge.command()
@click.argument("public_id", metavar="ID")
@json_option
def reissue(public_id: str, as_json: bool) -> None:
    """Sign a badge anew under the same address, such as after an endorsement."""
    with application() as app, app.database.writing() as session:
        award = _award(session, public_id)
        if award.revoked_at is not None or award.is_test:
            raise Failed("This badge was taken back, or was for trying out. It is not signed anew.")
        now = app.clock.now()
        badges.reissue(session, award, now=now)
        audit.record(session, at=now, actor_id=None, action="badge.reissue", subject=("award", award.id))
    if as_json:
        show_json({"badge": public_id})
    else:
        click.echo("The badge is signed anew in the background.")


def _endorsed(app: Assembly, version_id: int, organization_id: int, comment: str) -> str:
    try:
        return endorsing.endorse(
            app.database,
            app.badges.keys,
            app.clock,
            app.badges.badge_url,
            version_id=version_id,
            organization_id=organization_id,
            comment=comment,
        )
    except FactsError as problem:
        raise Failed("The comment is empty. Say in a sentence what the organization stands for.") from problem


def _version_id(session: Session, key: str, version: str | None) -> int:
    asked = (
        select(CredentialVersion.id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(
            Credential.key == key,
            Credential.kind == "micro_credential",
            CredentialVersion.state == "published",
        )
        .order_by(CredentialVersion.id.desc())
    )
    found = session.scalar((asked.where(CredentialVersion.version == version) if version else asked).limit(1))
    if found is None:
        raise Failed(f"There is no published micro-credential {key!r}{f' {version}' if version else ''}.")
    return found


def _award(session: Session, public_id: str) -> Award:
    award = session.scalar(select(Award).where(Award.public_id == public_id).with_for_update())
    if award is None:
        raise Failed(f"There is no badge {public_id!r}. Its id is the end of its page's address.")
    return award
