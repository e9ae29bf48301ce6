"""Finding names and mail addresses in text. No machine finds all of them, and none is asked to know faces.

A whole name of somebody in the course counts anywhere; a given or family name alone only with a capital
letter, and not where it is an everyday word too.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

What = Literal["mail", "name", "part_of_name"]
SHORTEST = 3
"""Letters of a name that is looked for alone."""
_MAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_EVERYDAY = frozenset(
    """
    april art august autumn best bill black brown case chance christian cook dawn day demo drew faith
    ford frank gene glass grace grant gray green hall hill hope hunter iris ivy jack jean jones joy june
    king lake lane long love major mark mason may miles moon nick page park pat penny pierce price ray
    reed rich rob rose ruth sage sky stone student sue summer teacher violet west white will wood wright
    young
    """.split()  # noqa: SIM905 - a list of words reads as words
)


@dataclass(frozen=True)
class Found:
    """A place in a text that may tell who somebody is; `words` as they stand there."""

    what: What
    words: str


class Names:
    """The names that are looked for."""

    def __init__(self, people: Iterable[tuple[str | None, str | None, str | None]]) -> None:
        """`people` are (whole name, given name, family name), any of them None."""
        self._whole: dict[str, set[tuple[str, ...]]] = {}
        self._parts: set[str] = set()
        for whole, given, family in people:
            for text in (whole, f"{given} {family}" if given and family else None):
                tokens = tuple(_plain(token) for token in _TOKEN.findall(text or ""))
                if len(tokens) > 1:
                    self._whole.setdefault(tokens[0], set()).add(tokens)
            for text in (given, family, *((whole or "").split() if not given else ())):
                tokens = tuple(_plain(token) for token in _TOKEN.findall(text or ""))
                if len(tokens) == 1 and len(tokens[0]) >= SHORTEST and tokens[0] not in _EVERYDAY:
                    self._parts.add(tokens[0])

    def in_text(self, text: str) -> list[Found]:
        """What stands in a text, each once, in order."""
        return list(dict.fromkeys((*_mails(text), *self._names(text, needs_capital=True))))

    def in_file_name(self, name: str) -> list[Found]:
        """What stands in a file name, where capitals mean nothing and `_` parts words."""
        apart = re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", name.replace("_", " "))
        return list(dict.fromkeys((*_mails(name), *self._names(apart, needs_capital=False))))

    def _names(self, text: str, *, needs_capital: bool) -> Iterator[Found]:
        tokens = [(match[0], _plain(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)]
        skip = 0
        for index, (word, plain, start, _) in enumerate(tokens):
            if index < skip:
                continue
            plain = plain.removesuffix("'s")
            whole = max(
                (
                    name
                    for name in self._whole.get(plain, ())
                    if tuple(token[1].removesuffix("'s") for token in tokens[index : index + len(name)])
                    == name
                ),
                key=len,
                default=None,
            )
            if whole is not None:
                skip = index + len(whole)
                yield Found("name", text[start : tokens[skip - 1][3]])
            elif plain in self._parts and (word[0].isupper() or not needs_capital):
                yield Found("part_of_name", word)


def _mails(text: str) -> Iterator[Found]:
    return (Found("mail", match[0]) for match in _MAIL.finditer(text))


def _plain(word: str) -> str:
    """A word without accents and case, so that José, Jose and JOSÉ are the same."""
    apart = unicodedata.normalize("NFKD", word.replace("’", "'"))
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()
