"""Starts a program under limits: `launcher.py SECONDS BYTES_WRITTEN BYTES_OF_MEMORY PROGRAM ARGUMENT...`.

A program of its own because what is set here is set before the other begins, and cannot be set between fork
and exec in a process that has threads. Uses nothing but the standard library.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main(arguments: list[str]) -> None:
    """Set the limits, then become the program."""
    seconds, written, memory = (int(value) for value in arguments[:3])
    for kind, limit in (
        (resource.RLIMIT_CPU, seconds * 4),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        # It ends with the worker that started it, however that ends.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A network of its own, which leads nowhere; where the system does not grant one, the program's own
        # options still keep it to files.
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    os.nice(10)
    os.execv(arguments[3], arguments[3:])  # noqa: S606 - there is no shell in this


if __name__ == "__main__":
    main(sys.argv[1:])
