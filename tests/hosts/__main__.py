"""One host as a program: prints its address, then answers until it is ended."""

import argparse
import sys

from tests.hosts.badge_connect import BadgeConnectHost, BadgrHost
from tests.hosts.ob3 import Ob3Host
from tests.hosts.serving import server_of

KINDS = {"badge-connect": BadgeConnectHost, "badgr": BadgrHost, "ob3": Ob3Host}


def main() -> int:
    """Serve one kind of host."""
    arguments = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    arguments.add_argument("kind", choices=sorted(KINDS))
    arguments.add_argument("--port", type=int, default=0)
    given = arguments.parse_args()
    host = KINDS[given.kind]()
    server = server_of(host, given.port)
    print(host.base, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
