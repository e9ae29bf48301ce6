"""Files: a folder, or an S3-compatible object store, behind one small class (obstore does the work)."""

import glob
import hashlib
import queue
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

CHUNK = 1024 * 1024
_PARTS_AT_ONCE = 3
"""Parts of 5 MiB that wait for the store while a long file is written; what a put may hold in memory."""
_CHUNKS_AHEAD = 4


class StorageError(Exception):
    """The store did not answer as it should; nothing half-written is referred to by anybody."""


class FileMissing(StorageError, FileNotFoundError):
    """There is no file under this key."""


@dataclass(frozen=True)
class Stored:
    """What was written: size in bytes and the hex SHA-256 of the content."""

    size: int
    sha256: str


class TooLarge(Exception):
    """The content went past the limit and was thrown away."""


class Storage:
    """Keys to bytes.

    `url` is a folder path, `file:///folder`, or
    `s3://bucket/prefix?endpoint=http://host:port&region=r&access_key_id=k&secret_access_key=s`; credentials
    left out are found as AWS tools find them. Raises ValueError for an address of another kind, and OSError
    or StorageError where the store cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._folder: Path | None = None
        """Where the files lie, if that is a folder of this machine."""
        try:
            self._store = _opened(url)
        except BaseError as error:
            raise StorageError(str(error)) from error
        if isinstance(self._store, LocalStore):
            self._folder = _folder_of(url)

    def put(self, key: str, chunks: Iterable[bytes], *, limit: int | None = None) -> Stored:
        """Write a file, hashing on the way. Raises TooLarge past `limit` bytes (nothing is kept then) and
        StorageError.
        """
        digest, size = hashlib.sha256(), 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                if limit is not None and size > limit:
                    raise TooLarge
                digest.update(chunk)
                yield chunk

        try:
            obstore.put(self._store, key, counted(), max_concurrency=_PARTS_AT_ONCE)
        except TooLarge:
            self.delete(key)
            raise
        except BaseError as error:
            raise StorageError(str(error)) from error
        return Stored(size, digest.hexdigest())

    def put_bytes(self, key: str, content: bytes | bytearray) -> None:
        """Write a small file in one go. Raises StorageError."""
        try:
            obstore.put(self._store, key, content, use_multipart=False)
        except BaseError as error:
            raise StorageError(str(error)) from error

    def size(self, key: str) -> int:
        """Size in bytes. Raises FileMissing."""
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError as error:
            raise FileMissing(key) from error
        except BaseError as error:
            raise StorageError(str(error)) from error

    def read(self, key: str) -> bytes:
        """The whole content, for small files. Raises FileMissing."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError as error:
            raise FileMissing(key) from error
        except BaseError as error:
            raise StorageError(str(error)) from error

    def stream(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes `start` up to but without `end`, in chunks of at most 1 MiB. Raises FileMissing."""
        for position in range(start, end, CHUNK):
            try:
                yield bytes(
                    obstore.get_range(self._store, key, start=position, end=min(position + CHUNK, end))
                )
            except FileNotFoundError as error:
                raise FileMissing(key) from error
            except BaseError as error:
                raise StorageError(str(error)) from error

    def join(self, keys: Sequence[str], target: str, *, limit: int | None = None) -> Stored:
        """Write one file of several, in this order. Raises as `put`, and FileMissing.

        A put drives its source from inside the store's own loop, where the store cannot be read: a thread
        reads ahead, a few chunks at most.
        """
        ahead: queue.Queue[bytes | Exception | None] = queue.Queue(_CHUNKS_AHEAD)
        over = threading.Event()

        def hand_over(what: bytes | Exception | None) -> None:
            while not over.is_set():
                try:
                    return ahead.put(what, timeout=0.5)
                except queue.Full:
                    continue

        def read() -> None:
            try:
                for key in keys:
                    for chunk in self.stream(key, 0, self.size(key)):
                        hand_over(chunk)
                        if over.is_set():
                            return
                hand_over(None)
            except Exception as error:  # noqa: BLE001 - whatever it is, the writer must hear of it
                hand_over(error)

        def chunks() -> Iterator[bytes]:
            while (what := ahead.get()) is not None:
                if isinstance(what, Exception):
                    raise what
                yield what

        thread = threading.Thread(target=read, name="storage-join", daemon=True)
        thread.start()
        try:
            return self.put(target, chunks(), limit=limit)
        finally:
            over.set()
            thread.join()

    def delete(self, key: str) -> None:
        """Remove a file; a missing one is no error."""
        if self._folder is not None:
            # What a killed process had begun to write under this key; the store does not list it.
            for begun in self._folder.joinpath(key).parent.glob(f"{glob.escape(Path(key).name)}#*"):
                begun.unlink(missing_ok=True)
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise StorageError(str(error)) from error

    def delete_folder(self, folder: str) -> None:
        """Remove every file whose key begins with `folder` and a slash. Raises StorageError, OSError."""
        if self._folder is not None:
            with suppress(FileNotFoundError):
                shutil.rmtree(self._folder / folder)
            return
        try:
            for batch in obstore.list(self._store, folder):
                for found in batch:
                    self.delete(str(found["path"]))
        except FileNotFoundError:
            return
        except BaseError as error:
            raise StorageError(str(error)) from error

    def check(self) -> None:
        """Write, read and remove a probe. Raises StorageError."""
        key = "probe/readiness"
        self.put(key, [b"ok"])
        if self.read(key) != b"ok":
            raise StorageError("the store gave back something else than was written")
        self.delete(key)


def _folder_of(url: str) -> Path:
    parts = urlsplit(url)
    return Path(unquote(parts.path) if parts.scheme else url)


def _opened(url: str) -> LocalStore | S3Store:
    parts = urlsplit(url)
    if parts.scheme == "s3":
        config = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,  # type: ignore[arg-type]
            client_options={"allow_http": config.get("endpoint", "").startswith("http://")},
        )
    if parts.scheme in ("", "file"):
        folder = _folder_of(url)
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(folder, automatic_cleanup=True)
    raise ValueError(f"storage URL of an unknown kind: {parts.scheme}")
