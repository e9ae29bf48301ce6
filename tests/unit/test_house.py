"""The house as DESIGN draws it: floors, packages in the wheel, where LMSs differ, what no file may name."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
PACKAGES = ["deep_linking", "grade_passback", "lti_tool", "microcred"]
LMS_NAMES = {"canvas", "moodle", "schoology"}
# Where an LMS may be told from another: the dialects, and the command that registers one.
MAY_NAME_AN_LMS = ["lti_tool/dialects/", "microcred/app/cli"]
REGISTRY_HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|proxy\.golang\.org|(?:deb|security)\.debian\.org"
)
# Places of one machine: somebody's home, a work folder. After an address or a word it is a URL's path.
MACHINE_PATHS = re.compile(r"(?<![\w.:/>}\"-])/(?:home|Users|work|root|mnt)/[\w.-]+")


def committed_files() -> list[Path]:
    """Every text file that git keeps, and those about to be added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Each module of the packages, as a path from the root and its syntax tree."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of everything a module imports."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def test_imports_go_down_the_floors(capsys: pytest.CaptureFixture[str]) -> None:
    exit_status = lint_imports(str(ROOT / "pyproject.toml"), no_cache=True)
    assert exit_status == 0, capsys.readouterr().out


def test_every_part_of_microcred_stands_on_a_floor() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    floors = next(contract for contract in settings["contracts"] if contract["id"] == "floors")
    named = {name.strip() for layer in floors["layers"] for name in layer.split("|")}
    parts = {f"microcred.{path.stem}" for path in (ROOT / "microcred").iterdir() if is_part(path)}
    assert parts | {"deep_linking", "grade_passback", "lti_tool"} == named


def is_part(path: Path) -> bool:
    """Whether this is a module or package, not `__init__` or a left-over folder without code."""
    return path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").exists())


def test_nothing_of_ours_imports_migrations_tests_or_the_demo_lms() -> None:
    found = {path: imported(tree) & {"migrations", "tests", "demo_lms"} for path, tree in modules(*PACKAGES)}
    assert {path: names for path, names in found.items() if names} == {}


def test_lms_differences_live_in_the_dialects() -> None:
    found = [
        f"{path}:{(node.pattern if isinstance(node, ast.match_case) else node).lineno}"
        for path, tree in modules(*PACKAGES)
        if not path.startswith(tuple(MAY_NAME_AN_LMS))
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.match_case | ast.Dict) and names_an_lms(node)
    ]
    assert found == [], "an LMS is told apart outside lti_tool/dialects"


def names_an_lms(node: ast.Compare | ast.match_case | ast.Dict) -> bool:
    """Whether a comparison, a `case` or the keys of a table hold an LMS' name."""
    if isinstance(node, ast.Dict):
        tested: list[ast.AST] = [key for key in node.keys if key]
    elif isinstance(node, ast.match_case):
        tested = [node.pattern]
    else:
        tested = [node]
    constants = [inner for part in tested for inner in ast.walk(part) if isinstance(inner, ast.Constant)]
    return any(isinstance(c.value, str) and c.value.lower() in LMS_NAMES for c in constants)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('if platform == "canvas": pass', True),
        ('if lms in ("Moodle", "plain"): pass', True),
        ('match lms:\n    case "schoology": pass', True),
        ('limits = {"canvas": 3}', True),
        ('title = "canvas"', False),
        ('hosts = {"name": "canvas"}', False),
    ],
)
def test_the_search_for_lms_names_finds_what_it_should(source: str, expected: bool) -> None:
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Compare | ast.match_case | ast.Dict)]
    assert any(names_an_lms(node) for node in nodes) is expected


def test_no_file_names_a_package_registry_or_a_place_of_one_machine() -> None:
    found = []
    for path in committed_files():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            named = REGISTRY_HOSTS.search(line) or MACHINE_PATHS.search(line)
            if named:
                found.append(f"{path.relative_to(ROOT)}:{number}: {named[0]}")
    assert found == []


def locked(name: str) -> set[str]:
    """The packages of a requirements file; each must be pinned and hashed."""
    entries = (ROOT / "requirements" / name).read_text().replace("\\\n", " ").splitlines()
    assert all("--hash=sha256:" in entry and "==" in entry for entry in entries)
    return {canonical(entry) for entry in entries}


def canonical(requirement: str) -> str:
    """The name of a requirement, as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def test_the_locks_hold_every_dependency_pinned_and_hashed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = {canonical(requirement) for requirement in project["project"]["dependencies"]}
    groups = {
        name: {canonical(requirement) for requirement in group}
        for name, group in project["dependency-groups"].items()
    }
    assert runtime <= locked("runtime.txt")
    assert runtime | groups["dev"] <= locked("dev.txt")
    assert groups["tools"] <= locked("tools.txt")


def test_the_browser_lock_has_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    libraries = [entry for name, entry in packages.items() if name]
    assert all("integrity" in entry and "resolved" not in entry for entry in libraries)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the wheel that this checkout builds."""
    folder = tmp_path_factory.mktemp("wheel")
    command: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_exactly_our_four_packages(wheel: list[str]) -> None:
    top = {name.split("/")[0] for name in wheel}
    assert sorted(name for name in top if not name.endswith(".dist-info")) == PACKAGES


def test_the_wheel_brings_migrations_browser_libraries_and_the_licence(wheel: list[str]) -> None:
    assert "microcred/_migrations/env.py" in wheel
    vendor = {name.rpartition("/")[2] for name in wheel if name.startswith("microcred/web/static/vendor/")}
    assert {"bootstrap.min.css", "bootstrap.bundle.min.js", "htmx.min.js", "tus.min.js"} <= vendor
    assert not any(name.endswith("vendor/ready") for name in wheel)
    assert any(name.endswith("licenses/LICENSE") for name in wheel)
