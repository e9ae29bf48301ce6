"""The running tool, as whoever runs it works with it: its command line, and its services for one platform.

Both read `MICROCRED_*` from the environment, as the running tool does.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from sqlalchemy import select

from lti_tool import registrations
from lti_tool.models import Context
from lti_tool.roster import Roster, read_roster
from microcred.app.cli import main
from microcred.app.settings import Settings
from microcred.app.wiring import assemble
from microcred.credentials import sample_text
from microcred.placements import GradeColumn, Placement


def command(*words: str) -> Any:
    """What `microcred <words> --json` prints. Raises AssertionError with its sentence where it refuses.

    In this process: a program of its own for each would take longer than what it does.
    """
    done = CliRunner().invoke(main, [*words, "--json"], prog_name="microcred")
    assert done.exit_code == 0, f"microcred {' '.join(words)}: {done.stderr.strip()} {done.exception!r}"
    return json.loads(done.stdout)


def bring_catalogue() -> None:
    """Import the sample credentials; those that are there stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "catalogue.yaml"
        file.write_text(sample_text(), encoding="utf-8")
        command("catalogue", "import", str(file))


def first_columns(context_id: str) -> list[str]:
    """Addresses of the line items that came with the links of a course."""
    assembly = assemble(Settings())
    try:
        with assembly.database.reading() as session:
            found = session.scalars(
                select(GradeColumn.lineitem_url)
                .join(Placement, Placement.id == GradeColumn.placement_id)
                .join(Context, Context.id == Placement.context_id)
                .where(Context.context_id == context_id)
                .order_by(GradeColumn.id)
            )
            return [url for url in found if url]
    finally:
        assembly.close()


def roster(registration_id: str, context_id: str) -> Roster:
    """The members of a course, read from the platform as the tool reads them."""
    assembly = assemble(Settings())
    try:
        with assembly.database.reading() as session:
            registration = registrations.facts_by_public_id(session, registration_id)
            assert registration is not None
            url = session.scalar(select(Context.memberships_url).where(Context.context_id == context_id))
        assert url, "no launch of this course told where its members are"
        return read_roster(assembly.lti.client_for(registration), url)
    finally:
        assembly.close()
