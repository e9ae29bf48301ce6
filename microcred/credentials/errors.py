"""What the domain refuses, each with a code and words for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]


class CredentialError(Exception):
    """Base of the domain's refusals. `code` is stable; `message` may be shown to the person who asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Problem:
    """Something wrong in a catalogue file."""

    place: str
    """Such as `micro_credentials[2].parts[1].criteria[0].levels.strong (line 412)`."""
    message: str
    line: int | None = None

    @classmethod
    def at(cls, path: Path, message: str, lines: Mapping[Path, int]) -> "Problem":
        """The problem at `path`; the line is that of the nearest member that stands in the file."""
        line = next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), None)
        place = written(path)
        return cls(place if line is None else f"{place} (line {line})", message, line)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def written(path: Path) -> str:
    """`('parts', 1, 'title')` as `parts[1].title`; the file itself as `the file`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "the file"


class CatalogueRefused(CredentialError):
    """A catalogue that was refused whole; `problems` names everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            "catalogue_refused", f"The catalogue was not imported; nothing was changed. It has {many}."
        )
        self.problems = list(problems)

    def __str__(self) -> str:
        return "\n".join([self.message, *map(str, self.problems)])


class PublishedVersionChanged(CredentialError):
    """Somebody tried to change a published version; tries rest on it."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "version_published",
            f"{key} is published and cannot change. Publish the change under a new version.",
        )


class NotInCatalogue(CredentialError):
    """A credential, version or catalogue that is not there, or not for this organization."""


class EvidenceRefused(CredentialError):
    """A file or link that cannot be evidence; the message says why and what to do."""


class Refused(CredentialError):
    """An action the workflow does not allow now, or not to this person."""
