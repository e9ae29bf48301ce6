"""The image and the compose file: small, not root, and in step with the rest of the project."""

import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from microcred.app.cli import main
from microcred.app.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE = ROOT / "docker" / "compose.yaml"
PAPERS = [ROOT / "docker" / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "README.md"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined: (name, rest)."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()
    ]


def compose() -> dict[str, Any]:
    """The compose file, its shared parts merged in."""
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


def parse_command(words: list[str]) -> None:
    """Raises click.UsageError when `microcred WORDS` is no command or has an unknown option."""
    command: click.Command = main
    context = click.Context(main, **main.context_settings)
    rest = list(words)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"no such command: {' '.join(words)}")
        command, rest = found, rest[1:]
    # Within the group's context, as when it is called: click remembers a command's help option.
    with command.make_context(command.name, rest, parent=context):
        pass


def served_command() -> list[str]:
    """What the image runs by itself, without `microcred`."""
    words: list[str] = yaml.safe_load(dict(instructions())["CMD"])
    return words


def test_the_image_runs_our_command_as_an_ordinary_user() -> None:
    last_stage = [name for name, _ in instructions()][::-1]
    assert dict(instructions())["USER"] == "10001"
    assert last_stage.index("USER") < last_stage.index("FROM")
    assert yaml.safe_load(dict(instructions())["ENTRYPOINT"]) == ["microcred"]
    parse_command(served_command())


def test_every_image_has_a_version() -> None:
    images = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    images += [service["image"] for service in compose()["services"].values()]
    assert [image for image in images if ":" not in image or image.endswith(":latest")] == []


def test_the_image_has_a_supported_python_and_only_locked_packages() -> None:
    images = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
    assert images <= {f"python:3.{minor}-slim" for minor in (11, 12, 13)}
    installs = re.findall(r"pip install ([^&]+)", DOCKERFILE.read_text().replace("\\\n", " "))
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_everything_copied_into_the_image_exists_and_is_let_through() -> None:
    let_through = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    for source in [word for words in copied for word in words]:
        assert (ROOT / source).exists(), source
        assert any(source == allowed or source.startswith(f"{allowed}/") for allowed in let_through), source


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="hadolint's wheel is for Linux on x86-64",
)
def test_hadolint_has_nothing_to_say() -> None:
    command: list[str | Path] = [Path(sys.executable).with_name("hadolint"), DOCKERFILE]
    said = subprocess.run(command, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")


def test_compose_starts_commands_that_exist() -> None:
    ours = {name: service for name, service in compose()["services"].items() if "build" in service}
    assert sorted(ours) == ["schema", "tool", "worker"]
    for service in ours.values():
        parse_command(service["command"])


def test_compose_sets_only_settings_that_exist() -> None:
    known = {f"MICROCRED_{name.upper()}" for name in Settings.model_fields}
    names = set(re.findall(r"\bMICROCRED_[A-Z_]+", COMPOSE.read_text()))
    names |= set(re.findall(r"\bMICROCRED_[A-Z_]+", DOCKERFILE.read_text()))
    names |= set(re.findall(r"\bMICROCRED_[A-Z_]+", (ROOT / "docker" / "env.example").read_text()))
    assert names <= known


def test_secrets_are_in_the_env_file_alone() -> None:
    example = (ROOT / "docker" / "env.example").read_text()
    assert re.search(r"^MICROCRED_SECRET_KEYS=$", example, re.M)
    assert re.search(r"^POSTGRES_PASSWORD=$", example, re.M)
    database = compose()["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    address = compose()["services"]["tool"]["environment"]["MICROCRED_DATABASE_URL"]
    assert re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?[^}]+\}", database)
    assert f"microcred:{database}@postgres/" in address
    assert "/docker/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_our_services_are_hardened_and_reachable_from_this_host_alone() -> None:
    for name in ("schema", "tool", "worker"):
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_health_check_asks_the_port_that_is_served() -> None:
    words = served_command()
    port = words[words.index("--port") + 1]
    assert f"127.0.0.1:{port}/healthz" in dict(instructions())["HEALTHCHECK"]
    assert dict(instructions())["EXPOSE"] == port


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_papers_name_only_make_targets_and_commands_that_exist(paper: Path) -> None:
    text = paper.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.M)) <= targets
    for words in re.findall(r"(?:exec tool |`|\.venv/bin/|^)microcred ([a-z]+(?: [a-z]+)?)", text, re.M):
        try:
            parse_command([*words.split(), "--help"])
        except click.exceptions.Exit:
            continue
