"""The embedded default's secret key: made once, kept in the data folder, readable by its owner only."""

import os
import secrets
from pathlib import Path


def secret_in(folder: Path) -> str:
    """The secret in `folder/secret.key`, made on first use. Raises OSError."""
    path = folder / "secret.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(path)
    return path.read_text().strip()


def _make(path: Path) -> None:
    """Put a new secret there whole or not at all: two processes may start at once, and both must get one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
