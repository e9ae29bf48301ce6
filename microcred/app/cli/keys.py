"""`microcred keys`: the tool's signing keys, and the issuers' keys that sign badges."""

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import select

from microcred.app.cli.common import Failed, application, json_option, show_json, show_table
from microcred.app.wiring import Assembly
from microcred.badges.issuer_keys import ListedKey
from microcred.badges.keys import is_test_address
from microcred.people.models import Organization
from microcred.sealing import SealBroken


@click.group()
def keys() -> None:
    """The keys that sign messages and service calls to LMSs, and those of issuers, which sign badges."""


@keys.command("list")
@click.option("--issuer", metavar="CODE", help="The keys of this issuer alone.")
@json_option
def list_(issuer: str | None, as_json: bool) -> None:
    """All published keys. With --json: the tool's, or with --issuer that issuer's."""
    with application() as app:
        found = app.lti.keys.list()
        issuers = app.badges.keys.listed()
        if issuer is not None:
            _issuer_id(app, issuer)
            issuers = [key for key in issuers if key.issuer == issuer]
    if issuer is not None and as_json:
        show_json([_as_json(key) for key in issuers])
        return
    if issuer is not None:
        _show_issuers(issuers)
        return
    if as_json:
        show_json(
            [
                {"kid": k.kid, "created_at": k.created_at, "retires_at": k.retires_at, "signs": k.signs}
                for k in found
            ]
        )
    else:
        show_table(
            ("Key", "Made", "Published until", "Signs"),
            [(k.kid, k.created_at, k.retires_at or "rotated", "yes" if k.signs else "no") for k in found],
        )
        if issuers:
            _show_issuers(issuers)


@keys.command()
@click.option("--issuer", metavar="CODE", help="The keys with which this issuer signs badges.")
@json_option
def rotate(issuer: str | None, as_json: bool) -> None:
    """Sign with a new key from now on. The old one stays published: for the overlap of 7 days, or with
    --issuer for good, so that older badges go on verifying.
    """
    if issuer is not None:
        _rotate_issuer(issuer, as_json)
        return
    with application() as app:
        kid = app.lti.keys.rotate()
    if as_json:
        show_json({"kid": kid})
    else:
        click.echo(f"New key {kid} signs from now on. The old one stays published for 7 days.")


@keys.command()
@json_option
def reseal(as_json: bool) -> None:
    """Encrypt stored private keys with the first of MICROCRED_SECRET_KEYS, so that older ones can be
    dropped.
    """
    with application() as app:
        try:
            count = app.lti.keys.reseal() + app.badges.reseal()
        except SealBroken as broken:
            raise Failed(
                "Some keys are sealed by a secret that MICROCRED_SECRET_KEYS does not hold; `microcred "
                "doctor` names them. Put that secret back behind the current one, then try again."
            ) from broken
    if as_json:
        show_json({"resealed": count})
    else:
        click.echo(f"{count} keys are sealed with the current secret now.")


def _rotate_issuer(code: str, as_json: bool) -> None:
    with application() as app:
        made = app.badges.keys.rotate(_issuer_id(app, code))
        is_test = is_test_address(app.badges.badge_url)
    if as_json:
        show_json({"issuer": code, "keys": [_as_json(key) for key in made], "test_badges": is_test})
        return
    for key in made:
        click.echo(f"New {key.algorithm} key {key.key_id} signs badges of {code} from now on.")
    if is_test:
        click.echo(
            "Badges live at an address that is not public, so they are test badges, and a test badge's "
            "issuer is its key: newer ones name another. Older ones still verify; their status does not."
        )
    else:
        click.echo("The old key stays in the issuer's DID document, so that older badges go on verifying.")


def _issuer_id(app: Assembly, code: str) -> int:
    with app.database.reading() as session:
        found = session.scalar(select(Organization.id).where(Organization.code == code))
    if found is None:
        raise Failed(f"There is no organization {code!r}. `catalogue import` brings issuers.")
    return found


def _show_issuers(found: Sequence[ListedKey]) -> None:
    show_table(
        ("Issuer", "Kind", "Key", "Made", "Retired"),
        [(k.issuer, k.algorithm, k.key_id, k.created_at, k.retired_at or "") for k in found],
    )


def _as_json(key: ListedKey) -> dict[str, Any]:
    return {
        "issuer": key.issuer,
        "algorithm": key.algorithm,
        "key_id": key.key_id,
        "created_at": key.created_at,
        "retired_at": key.retired_at,
        "signs": key.retired_at is None,
    }
