"""The id_token's form and signature (RFC 7515, RFC 8725, Security Framework 5.1.3)."""

import json
import time
from collections.abc import Iterator

import pytest

from demo_lms import ABSENT, Reply, TokenForm
from demo_lms.keys import SigningKey, b64url
from tests.support.lti import TOOL, World, assert_refused, is_accepted, lti_world, rewritten, signing_key


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        yield made


@pytest.mark.case("TK-01")
def test_an_error_of_the_platform_is_told_in_our_words(world: World) -> None:
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = browser.authorize(world.a, browser.start(start, client_id="tool-a"))

    answer = browser.post(
        {
            "error": "login_required",
            "error_description": "<script>alert(1)</script>",
            "state": fields["state"],
        }
    )

    assert_refused(answer, "platform_error", 400)
    assert "alert" not in answer.text
    assert is_accepted(browser.post(fields))


@pytest.mark.case("TK-02")
def test_a_response_without_token_is_refused(world: World) -> None:
    browser = world.browser()
    login = browser.start(world.a.platform.begin_launch("u-1", "rl-1"), client_id="tool-a")
    fields = browser.authorize(world.a, login)

    assert_refused(browser.post({"state": fields["state"]}), "token_missing", 400)
    assert_refused(browser.post({**fields, "id_token": ""}), "token_missing", 400)


@pytest.mark.case("TK-03", choice="405")
def test_a_token_in_an_address_is_refused(world: World) -> None:
    answer = world.browser().get("/lti/launch?id_token=a.b.c&state=x")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.case("TK-04")
@pytest.mark.case("TK-05", choice="a.b. is token_malformed")
@pytest.mark.parametrize(
    "token",
    [
        "not-a-jwt",
        "a.b",
        "a.b.",
        "..",
        "a.b.c",
        "a.b.c.d",
        "a.b.c.d.e",
        f"{b64url(b'{}')}.{b64url(json.dumps({'name': 'badltilaunch'}).encode())}.c2ln",
        f"{b64url(b'[]')}.e30.c2ln",
        f"{b64url(b'null')}.e30.c2ln",
        f"{b64url(b'{')}.e30.c2ln",
        f"{b64url(b'[' * 6000)}.e30.c2ln",
        f"{b64url(b'x' * 9000)}.e30.c2ln",
        "ÿ.ÿ.ÿ",
        "\x00",
    ],
)
def test_what_is_no_token_is_refused(world: World, token: str) -> None:
    assert_refused(world.browser().launch(token=TokenForm(raw=token)), "token_malformed", 400)


@pytest.mark.case("TK-06")
@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"",
        b"{",
        b"\xff\xfe",
        b"{" * 3000,
        b'{"exp": NaN}',
        b'{"n": 1' + b"0" * 5000 + b"}",
    ],
)
def test_a_signed_payload_that_is_no_object_is_refused(world: World, payload: bytes) -> None:
    assert_refused(world.browser().launch(token=TokenForm(payload_bytes=payload)), "token_malformed", 400)


@pytest.mark.parametrize(
    "form",
    [
        rewritten(b'"iss":', b'"iss":"https://platform-a.test","iss":'),
        rewritten(b'"locale":"en"', b'"locale":"en","x":{"a":1,"a":2}'),
        TokenForm(header_bytes=b'{"alg": "RS256", "kid": "a-1", "kid": "a-1"}'),
        TokenForm(header_bytes=b'{"alg": "none", "alg": "RS256", "kid": "a-1"}'),
    ],
    ids=["payload", "nested", "kid", "alg"],
)
def test_duplicate_member_names_are_refused(world: World, form: TokenForm) -> None:
    assert_refused(world.browser().launch(token=form), "token_malformed", 400)


@pytest.mark.case("TK-08")
@pytest.mark.parametrize("size", [257 * 1024, 2 * 1024 * 1024])
def test_a_token_that_is_too_long_is_refused_unread(world: World, size: int) -> None:
    browser = world.browser()
    started = time.monotonic()

    answer = browser.launch(token=TokenForm(raw="x" * size))

    assert_refused(answer, "token_too_large", 413)
    assert time.monotonic() - started < 5
    assert world.a.platform.log.count("jwks") == 0


@pytest.mark.case("TK-09")
def test_a_long_genuine_token_is_accepted(world: World) -> None:
    custom = {f"key_{number}": "v" * 500 for number in range(100)}
    roles = [f"http://example.com/role#{number}" for number in range(200)]

    assert is_accepted(world.browser().launch(claims={"custom": custom, "roles": roles}))


@pytest.mark.case("TK-12")
@pytest.mark.parametrize("header", [{"crit": ["x-unknown"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}])
def test_critical_extensions_are_refused(world: World, header: dict[str, object]) -> None:
    assert_refused(world.browser().launch(token=TokenForm(header=header)), "token_malformed", 400)


@pytest.mark.case("TK-13", choice="token_malformed")
@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("extra", ["=", "==", "+", "/", " ", "\n"])
def test_other_base64_alphabets_are_refused(world: World, segment: int, extra: str) -> None:
    def edit(token: str) -> str:
        parts = token.split(".")
        parts[segment] += extra
        return ".".join(parts)

    assert_refused(world.browser().launch(token=TokenForm(edit=edit)), "token_malformed", 400)


# signature


@pytest.mark.case("SG-01")
def test_a_token_without_kid_is_refused(world: World) -> None:
    assert_refused(world.browser().launch(token=TokenForm(kid=ABSENT)), "kid_missing", 401)
    assert_refused(world.browser().launch(token=TokenForm(header={"kid": ""})), "kid_missing", 401)
    assert_refused(world.browser().launch(token=TokenForm(header={"kid": 7})), "token_malformed", 400)


@pytest.mark.case("SG-02")
def test_an_unknown_kid_is_refused_after_one_refetch(world: World) -> None:
    for _ in range(3):
        assert_refused(world.browser().launch(token=TokenForm(kid="nobody")), "kid_unknown", 401)

    assert world.a.platform.log.count("jwks") == 2


@pytest.mark.case("SG-03")
@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_an_unsigned_token_is_refused(world: World, alg: str) -> None:
    assert_refused(world.browser().launch(token=TokenForm(alg=alg)), "alg_not_allowed", 401)


@pytest.mark.case("SG-04")
def test_a_public_key_is_no_secret(world: World) -> None:
    form = TokenForm(alg="HS256", key=signing_key("a-1").public_pem(), kid="a-1")

    assert_refused(world.browser().launch(token=form), "alg_not_allowed", 401)


@pytest.mark.case("SG-06")
@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "ES256"])
def test_other_algorithms_are_refused(world: World, alg: str) -> None:
    key = SigningKey.generate("other", "ES256") if alg == "ES256" else signing_key("a-1")
    world.a.platform.rotate_keys(key)

    assert_refused(world.browser().launch(token=TokenForm(alg=alg, key=key)), "alg_not_allowed", 401)


@pytest.mark.case("SG-06")
def test_an_algorithm_that_the_registration_allows_is_accepted(world: World) -> None:
    site = world.add_site("c", "https://platform-c.test", "tool-c", "dep-1", algorithms=("RS384",))
    key = SigningKey("c-384", signing_key("c-1").private)
    site.platform.script.on("jwks", Reply(200, body={"keys": [key.public_jwk(alg="RS384")]}), times=None)

    assert is_accepted(world.browser().launch(site, token=TokenForm(alg="RS384", key=key)))
    assert_refused(
        world.browser().launch(site, token=TokenForm(alg="RS256", key=key)), "alg_not_allowed", 401
    )


@pytest.mark.case("SG-08")
def test_a_changed_payload_is_refused(world: World) -> None:
    def edit(token: str) -> str:
        head, payload, signature = token.split(".")
        middle = len(payload) // 2
        other = "A" if payload[middle] != "A" else "B"
        return f"{head}.{payload[:middle]}{other}{payload[middle + 1 :]}.{signature}"

    before = world.counts()
    assert_refused(world.browser().launch(token=TokenForm(edit=edit)), "signature_invalid", 401)
    assert world.counts() == before


@pytest.mark.case("SG-09")
def test_only_the_registrations_own_keys_are_asked(world: World) -> None:
    answer = world.browser().launch(token=TokenForm(key=signing_key("b-1")))

    assert_refused(answer, "kid_unknown", 401)
    assert "b" not in world.sites
    stolen_kid = TokenForm(key=signing_key("b-1"), kid="a-1")
    assert_refused(world.browser().launch(token=stolen_kid), "signature_invalid", 401)


@pytest.mark.case("SG-10")
@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_keys_named_by_the_token_are_not_fetched(world: World, name: str) -> None:
    evil = world.b
    value: object = f"{evil.server.url}/jwks" if name != "jwk" else signing_key("b-1").public_jwk()
    form = TokenForm(key=signing_key("b-1"), header={name: value})

    assert_refused(world.browser().launch(token=form), "kid_unknown", 401)
    assert evil.platform.log.count() == 0


@pytest.mark.case(
    "SG-13", choice="accepted if one of up to four keys of a kid verifies, kid_ambiguous beyond"
)
def test_two_keys_of_one_kid_are_both_tried(world: World) -> None:
    first, second = signing_key("a-1"), SigningKey("a-1", signing_key("a-2").private)
    world.a.platform.script.on("jwks", Reply(200, body={"keys": [first.public_jwk(), second.public_jwk()]}))

    assert is_accepted(world.browser().launch(token=TokenForm(key=second)))


def test_five_keys_of_one_kid_are_ambiguous(world: World) -> None:
    keys = [SigningKey("a-1", signing_key(f"many-{number}").private).public_jwk() for number in range(5)]
    world.a.platform.script.on("jwks", Reply(200, body={"keys": keys}))

    assert_refused(world.browser().launch(), "kid_ambiguous", 401)


@pytest.mark.case("SG-15")
def test_a_new_key_is_found_by_one_refetch(world: World) -> None:
    assert is_accepted(world.browser().launch())
    world.a.platform.rotate_keys(signing_key("a-2"))
    fetched = world.a.platform.log.count("jwks")

    assert is_accepted(world.browser().launch())
    assert is_accepted(world.browser().launch())
    assert world.a.platform.log.count("jwks") == fetched + 1


@pytest.mark.case("SG-16")
def test_a_removed_key_is_refused_once_the_set_was_refreshed(world: World) -> None:
    assert is_accepted(world.browser().launch())
    world.a.platform.rotate_keys(signing_key("a-2"), keep_old=False)
    assert is_accepted(world.browser().launch())

    answer = world.browser().launch(token=TokenForm(key=signing_key("a-1")))

    assert_refused(answer, "kid_unknown", 401)


@pytest.mark.case("SG-17")
def test_made_up_kids_cause_few_fetches(world: World) -> None:
    for number in range(60):
        assert_refused(world.browser().launch(token=TokenForm(kid=f"made-up-{number}")), "kid_unknown", 401)
        if number % 10 == 0:
            assert is_accepted(world.browser().launch())
        world.clock.pass_(seconds=1)

    assert world.a.platform.log.count("jwks") <= 4


@pytest.mark.case("SG-18")
def test_a_hanging_key_host_does_not_stop_launches(world: World) -> None:
    assert is_accepted(world.browser().launch())
    world.a.platform.script.on("jwks", Reply(200, delay=30), times=None)
    world.clock.pass_(hours=25)
    started = time.monotonic()

    answers = [world.browser().launch() for _ in range(3)]

    assert all(map(is_accepted, answers))
    assert time.monotonic() - started < 8


@pytest.mark.case("SG-20")
@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(200, body="<html>down</html>"),
        Reply(200, body={}),
        Reply(200, body={"keys": []}),
        Reply(200, body={"keys": [{"kty": "RSA", "kid": "a-1", "n": "AQ", "e": "AQAB"}]}),
        Reply(200, body=b" " * 10_000_000),
        Reply.redirect("https://evil.test/jwks"),
        Reply(drop="before"),
    ],
    ids=["500", "html", "empty", "no-keys", "weak", "10MB", "redirect", "drop"],
)
def test_an_unusable_key_set_is_not_taken(world: World, reply: Reply) -> None:
    world.a.platform.script.on("jwks", reply)
    assert_refused(world.browser().launch(), "jwks_unavailable", 503)

    assert is_accepted(world.browser().launch())
    world.clock.pass_(hours=25)
    world.a.platform.script.on("jwks", reply)
    assert is_accepted(world.browser().launch())


@pytest.mark.case("SG-22", choice="5 minutes to 24 hours")
@pytest.mark.parametrize(
    ("control", "kept", "ended"),
    [
        ("max-age=60", 4.9, 5.1),
        ("public, max-age=3600", 59, 61),
        ("max-age=31536000", 1439, 1441),
        ("", 4.9, 5.1),
    ],
)
def test_cache_control_is_honoured_within_limits(
    world: World, control: str, kept: float, ended: float
) -> None:
    world.a.platform.script.on("jwks", Reply(headers={"Cache-Control": control}), times=None)
    world.browser().launch()
    world.clock.pass_(minutes=kept)
    world.browser().launch()
    assert world.a.platform.log.count("jwks") == 1

    world.clock.pass_(minutes=ended - kept)
    assert is_accepted(world.browser().launch())
    assert world.a.platform.log.count("jwks") == 2


@pytest.mark.case("SG-25")
def test_an_unverified_token_leaves_no_trace(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    before = world.counts()
    form = TokenForm(key=signing_key("b-1"), kid="a-1")

    answer = world.browser().launch(
        token=form,
        claims={"context": {"id": "new"}, "deployment_id": "new"},
        sub="new-sub",
        name="Nadia Newcomer",
    )

    assert_refused(answer, "signature_invalid", 401)
    assert world.counts() == before
    assert world.deployments() == {"dep-1": "approved", "dep-2": "approved"}
    said = "".join(capsys.readouterr())
    assert said.count("launch_refused") == 1
    assert not any(word in said + answer.text for word in ("Nadia", "demo.invalid", "new-sub"))
    assert TOOL not in said
