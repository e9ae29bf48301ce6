r"""One way to count words, the same here and in the browser.

1. Every Han, Hiragana and Katakana character (`CJK`) is a word by itself: these scripts put no space
   between words.
2. What is left is cut at Unicode white space (`\p{White_Space}`); a run counts as one word if it holds a
   letter or a digit (`\p{L}` or `\p{N}`). So `well-known`, `don't` and `3.5` are one word each, and a lone
   dash or bullet is none.

`tests/data/word_vectors.json` holds examples that both sides are tested on.
"""

import re
import unicodedata

WHITE_SPACE = "\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""The characters of Unicode's White_Space property, as inside a character class."""
CJK = (
    "\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
"""Characters that count one by one, as inside a character class."""

_CJK = re.compile(f"[{CJK}]")
_RUN = re.compile(f"[^{WHITE_SPACE}]+")


def count_words(text: str) -> int:
    """How many words `text` holds, by the rule above."""
    spaced, characters = _CJK.subn(" ", text)
    return characters + sum(_is_word(run) for run in _RUN.findall(spaced))


def _is_word(run: str) -> bool:
    return any(unicodedata.category(character)[0] in "LN" for character in run)
