"""`microcred badge`: endorsing credentials, renewing badges, signing them anew."""

from pathlib import Path

from sqlalchemy import select

from microcred.badges import integrity
from microcred.badges.models import Endorsement
from tests.functional.app.conftest import Command

COMMENT = "Counts for one graduate credit with us."


def test_an_organization_endorses_a_credential_and_changes_its_words(
    microcred: Command, catalogue_file: Path
) -> None:
    microcred("catalogue", "import", str(catalogue_file))
    words = ("badge", "endorse", "--credential", "mc-shape-ideas", "--by", "iss-riverbend", "--comment")
    first = microcred.json(*words, COMMENT)
    assert first["address"].endswith(f"/ob/3.0/endorsements/{first['endorsement']}")
    assert microcred.json(*words, "Now for two credits.") == first
    assembly = microcred.assembly()
    with assembly.database.reading() as session:
        row = session.scalars(select(Endorsement)).one()
        (public,) = assembly.badges.keys.public_keys(
            session, row.credential["issuer"]["id"].rsplit(":", 1)[-1]
        )
    assembly.close()
    integrity.verify(row.credential, public)
    assert row.credential["credentialSubject"]["endorsementComment"] == "Now for two credits."


def test_what_is_not_there_is_named(microcred: Command, catalogue_file: Path) -> None:
    microcred("catalogue", "import", str(catalogue_file))
    endorse = ("badge", "endorse", "--comment", COMMENT)
    for words, said in (
        ((*endorse, "--credential", "nothing", "--by", "iss-riverbend"), "no published micro-credential"),
        ((*endorse, "--credential", "mc-shape-ideas", "--by", "nobody"), "no organization 'nobody'"),
        (("badge", "reissue", "nothing"), "no badge 'nothing'"),
        (("badge", "renew", "nothing", "--until", "2030-01-01"), "no badge 'nothing'"),
    ):
        assert said in " ".join(microcred(*words, status=1).stderr.split())
    empty = ("badge", "endorse", "--credential", "mc-shape-ideas", "--by", "iss-riverbend", "--comment", " ")
    assert "comment is empty" in microcred(*empty, status=1).stderr
