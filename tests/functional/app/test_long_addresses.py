"""Addresses as long as LMSs make them, through the real server."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.functional.app.conftest import PLATFORM, Command
from tests.functional.app.processes import running, wait_for
from tests.support.servers import free_port


@pytest.mark.long
@pytest.mark.case("LI-16")
def test_a_login_by_get_may_be_as_long_as_a_login_may_be(microcred: Command, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    microcred.platform()
    hint = ('{"cmid":3,"x":"+/=&% ж"}' * 400)[:4800]
    settings = {**microcred.settings, "MICROCRED_PUBLIC_URL": url}
    with running(tmp_path, settings, "serve", "--no-worker", "--port", str(port)) as server:
        wait_for(f"{url}/healthz", server)

        def log_in(hint: str) -> requests.Response:
            asked = {
                "iss": PLATFORM["--issuer"],
                "client_id": PLATFORM["--client-id"],
                "login_hint": "u-1",
                "target_link_uri": f"{url}/lti/launch",
                "lti_message_hint": hint,
            }
            return requests.get(f"{url}/lti/login?{urlencode(asked)}", allow_redirects=False, timeout=10)

        answer = log_in(hint)
        too_long = log_in("x" * 16 * 1024)
        endless = requests.get(f"{url}/healthz?{'x' * 40_000}", timeout=10)

    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["lti_message_hint"] == [hint]
    assert (too_long.status_code, too_long.headers["X-LTI-Error"]) == (413, "login_missing_param")
    assert endless.status_code in (400, 414)
