"""``python -m demo_lms``: the demo LMS as a program, with sample courses and people."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from .dialects import DIALECTS
from .facts import platform_facts
from .names import ALL_SCOPES
from .persistence import keep
from .platform import Platform
from .sample import add_sample
from .server import Server, serve
from .state import DEFAULT_ISSUER


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="demo_lms", description="A small LMS that speaks LTI 1.3, for the demo."
    )
    made.add_argument("--host", default="localhost", help="name to listen on and to be known by (localhost)")
    made.add_argument("--port", type=int, default=5001, help="0 takes any free one (5001)")
    made.add_argument("--tool-url", default="http://127.0.0.1:5000", help="the tool's public address")
    made.add_argument("--issuer", default=DEFAULT_ISSUER, help="issuer, if not the LMS's own address")
    made.add_argument("--client-id", help="if not the dialect's own")
    made.add_argument("--deployment-id", help="if not the dialect's own")
    made.add_argument("--dialect", choices=sorted(DIALECTS), default="plain")
    made.add_argument("--storage", action="store_true", help="offer platform storage by postMessage")
    made.add_argument("--control", action="store_true", help="answer at /control/ (scripting; tests only)")
    made.add_argument("--data", type=Path, help="keep everything in this JSON file")
    made.add_argument("--json", action="store_true", help="print the facts as one line of JSON")
    return made


def register_tool(platform: Platform, tool_url: str, client_id: str, deployment_id: str) -> None:
    """Register the tool by its public address; again at each start, since the address may have changed."""
    base = tool_url.rstrip("/")
    platform.add_tool(
        client_id,
        f"{base}/lti/login",
        [f"{base}/lti/launch"],
        f"{base}/lti/jwks",
        f"{base}/lti/deep-link",
        deployment_id,
        launch_url=f"{base}/lti/launch",
        scopes=[*ALL_SCOPES, *platform.dialect.more_scopes],
        placements=[platform.dialect.menu_placement] if platform.dialect.menu_placement else [],
    )


def start(arguments: Sequence[str] | None = None) -> Server:
    """Start the program's platform and print where it is."""
    options = parser().parse_args(arguments)
    platform = Platform(options.issuer, dialect=DIALECTS[options.dialect])
    platform.platform_storage = options.storage
    if not (options.data and keep(platform, options.data)):
        add_sample(platform)
    client_id, deployment_id = platform.dialect.program_ids
    register_tool(
        platform, options.tool_url, options.client_id or client_id, options.deployment_id or deployment_id
    )
    server = serve(platform, options.host, options.port, with_control=options.control)
    if options.json:
        sys.stdout.write(json.dumps(platform_facts(platform)) + "\n")
    else:
        sys.stdout.write(f"Demo LMS at {server.url} (open it and choose who to be). Ctrl-C ends it.\n")
    sys.stdout.flush()
    return server


def main() -> None:
    """Run until interrupted or terminated."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with start():
        ended.wait()


if __name__ == "__main__":
    main()
