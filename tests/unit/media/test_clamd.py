"""What we say to clamd and how we read its answers, over TCP and over a unix socket."""

from pathlib import Path

import pytest

from microcred.media import Clamd, ScannerAway, TooLargeToScan
from tests.support import clamd
from tests.support.servers import free_port


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_what_is_clean_and_what_is_not(way: str, tmp_path: Path) -> None:
    socket = tmp_path / "clamd.sock" if way == "unix" else None
    with clamd.running(socket=socket) as scanner:
        client = Clamd(scanner.url)
        client.ping()
        assert client.scan([b"a", b"", b"photo" * 100_000]).is_clean
        found = client.scan([b"before " + clamd.EICAR[:20], clamd.EICAR[20:], b" after"])
        assert (found.is_clean, found.found) == (False, "Eicar-Test-Signature")
        assert scanner.scanned == [500_001, 7 + len(clamd.EICAR) + 6]


def test_a_file_past_its_limit_is_no_verdict() -> None:
    with clamd.running(limit=100_000) as scanner, pytest.raises(TooLargeToScan):
        Clamd(scanner.url).scan([bytes(50_000)] * 40)


def test_nobody_there_is_no_verdict() -> None:
    client = Clamd(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(ScannerAway):
        client.scan([b"x"])
    with pytest.raises(ScannerAway):
        client.ping()


@pytest.mark.parametrize("url", ["", "clamd", "http://x", "tcp://", "unix:"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        Clamd(url)
