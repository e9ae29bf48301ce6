"""`microcred keys`: the tool's signing keys."""

import click

from microcred.app.cli.common import Failed, application, json_option, show_json, show_table
from microcred.sealing import SealBroken


@click.group()
def keys() -> None:
    """The keys that sign messages and service calls to LMSs."""


@keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All published keys; one of them signs."""
    with application() as app:
        found = app.lti.keys.list()
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


@keys.command()
@json_option
def rotate(as_json: bool) -> None:
    """Sign with a new key from now on; the old one stays published for the overlap of 7 days."""
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
