"""The store: joining files, folders, and what is left where something breaks, on a folder and on S3."""

import hashlib
from pathlib import Path

import boto3
import pytest

from microcred.storage import CHUNK, FileMissing, Storage, TooLarge
from tests.support.engines import Bucket


class Store:
    """A store, and its keys as somebody else sees them."""

    def __init__(self, storage: Storage, folder: Path | None, bucket: Bucket | None) -> None:
        self.storage = storage
        self._folder, self._bucket = folder, bucket

    def keys(self) -> list[str]:
        """Every key, sorted."""
        if self._folder is not None:
            files = (path for path in self._folder.rglob("*") if path.is_file())
            return sorted(path.relative_to(self._folder).as_posix() for path in files)
        assert self._bucket is not None
        client = boto3.client(
            "s3",
            endpoint_url=self._bucket.endpoint,
            region_name=self._bucket.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        listed = client.list_objects_v2(Bucket=self._bucket.name).get("Contents", [])
        client.close()
        return sorted(str(one["Key"]) for one in listed)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    if request.param == "folder":
        return Store(Storage(str(tmp_path)), tmp_path, None)
    bucket: Bucket = request.getfixturevalue("s3_bucket")
    return Store(Storage(bucket.url), None, bucket)


def test_files_are_joined_in_their_order(store: Store) -> None:
    pieces = [bytes([number]) * (CHUNK // 2 * number + number) for number in range(1, 5)]
    for number, piece in enumerate(pieces):
        store.storage.put_bytes(f"uploads/x/{number}", bytearray(piece))
    stored = store.storage.join([f"uploads/x/{number}" for number in range(4)], "evidence/x")
    whole = b"".join(pieces)
    assert (stored.size, stored.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert store.storage.read("evidence/x") == whole
    store.storage.delete_folder("uploads/x")
    assert store.keys() == ["evidence/x"]
    store.storage.delete_folder("uploads/x")


def test_a_missing_piece_joins_nothing(store: Store) -> None:
    store.storage.put_bytes("uploads/x/0", b"a" * CHUNK)
    with pytest.raises(FileMissing):
        store.storage.join(["uploads/x/0", "uploads/x/1"], "evidence/x")
    assert store.keys() == ["uploads/x/0"]


def test_a_join_past_its_limit_keeps_nothing(store: Store) -> None:
    store.storage.put_bytes("uploads/x/0", b"a" * 5 * CHUNK)
    with pytest.raises(TooLarge):
        store.storage.join(["uploads/x/0"] * 3, "evidence/x", limit=9 * CHUNK)
    assert store.keys() == ["uploads/x/0"]


def test_a_folder_is_not_another_whose_name_begins_alike(store: Store) -> None:
    for key in ("uploads/a/0", "uploads/ab/0"):
        store.storage.put_bytes(key, b"x")
    store.storage.delete_folder("uploads/a")
    assert store.keys() == ["uploads/ab/0"]


def test_what_a_killed_writer_left_goes_with_the_file(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    storage.put_bytes("evidence/x", b"whole")
    (tmp_path / "evidence/x#1").write_bytes(b"begun")
    (tmp_path / "evidence/xy").write_bytes(b"another")
    storage.delete("evidence/x")
    assert sorted(path.name for path in (tmp_path / "evidence").iterdir()) == ["xy"]
