"""Keys of issuers: rotated one issuer at a time, the old ones listed for good."""

from microcred.people import ensure_organization
from tests.functional.app.conftest import Command


def _issuers(microcred: Command, *codes: str) -> None:
    assembly = microcred.assembly()
    with assembly.database.writing() as session:
        for code in codes:
            ensure_organization(
                session, code=code, name=f"Demo issuer {code}", kind="nonprofit", now=assembly.clock.now()
            )
    assembly.close()


def test_an_issuers_keys_are_rotated_and_the_old_ones_stay_listed(microcred: Command) -> None:
    microcred("keys", "list")
    _issuers(microcred, "iss-a", "iss-b")
    first = microcred.json("keys", "rotate", "--issuer", "iss-a")["keys"]
    second = microcred.json("keys", "rotate", "--issuer", "iss-a")["keys"]
    assert [key["algorithm"] for key in first + second] == ["Ed25519", "Ed25519"]
    new, old = microcred.json("keys", "list", "--issuer", "iss-a")
    assert (new["key_id"], new["signs"], new["retired_at"]) == (second[0]["key_id"], True, None)
    assert (old["key_id"], old["signs"]) == (first[0]["key_id"], False)
    assert old["retired_at"]
    assert microcred.json("keys", "list", "--issuer", "iss-b") == []
    assert microcred.json("keys", "list") == []
    shown = microcred("keys", "list").stdout
    assert new["key_id"] in shown
    assert old["key_id"] in shown


def test_an_unknown_issuer_is_named(microcred: Command) -> None:
    for words in (("keys", "list"), ("keys", "rotate")):
        assert "no organization 'nobody'" in " ".join(
            microcred(*words, "--issuer", "nobody", status=1).stderr.split()
        )


def test_where_badges_are_test_badges_the_command_says_what_rotation_means(microcred: Command) -> None:
    microcred.settings["MICROCRED_PUBLIC_URL"] = "http://127.0.0.1:8000"
    microcred("keys", "list")
    _issuers(microcred, "iss-a")
    assert "test badges" in " ".join(microcred("keys", "rotate", "--issuer", "iss-a").stdout.split())
