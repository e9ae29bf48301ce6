"""Every error code of the public contract: known to the tool, with words, and shown by a case."""

import re
from pathlib import Path

from lti_tool.errors import WORDS

TEXT = """
login_missing_param login_conflict registration_unknown registration_ambiguous
registration_inactive registration_exists target_link_not_allowed target_link_mismatch
deployment_unknown state_missing state_unknown state_used state_expired browser_not_bound
session_changed platform_error token_missing token_malformed token_too_large token_expired
token_not_yet_valid token_too_old kid_missing kid_unknown kid_ambiguous alg_not_allowed
signature_invalid jwks_unavailable iss_mismatch aud_missing aud_mismatch azp_mismatch
nonce_missing nonce_mismatch nonce_used claim_missing claim_invalid version_unsupported
message_type_unsupported role_not_permitted return_url_not_allowed url_not_allowed
issuer_mismatch user_blocked temporarily_unavailable
"""
CODES = TEXT.split()
NEVER_SENT = {
    # ST-13: pages are bound to their launch by address and cookie, so nobody else's launch changes a session.
    "session_changed",
}
FOLDER = Path(__file__).parent


def test_the_codes_are_those_of_the_contract() -> None:
    assert list(WORDS) == list(dict.fromkeys(WORDS))
    assert set(WORDS) == set(CODES)


def test_every_code_has_a_case() -> None:
    cases = "\n".join(file.read_text() for file in FOLDER.glob("test_*.py") if file != Path(__file__))
    shown = set(re.findall(r'"([a-z_]+)"', cases))
    assert set(CODES) - shown == NEVER_SENT


def test_what_is_never_sent_is_sent_nowhere() -> None:
    package = FOLDER.parents[1] / "lti_tool"
    sources = [file for file in package.rglob("*.py") if file.name != "errors.py"]
    assert not [file for file in sources for code in NEVER_SENT if f'"{code}"' in file.read_text()]
