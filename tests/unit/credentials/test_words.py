"""Words are counted by one rule; the browser's copy is tested on the same examples."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.credentials import count_words

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "word_vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(vector["text"][:24]))
def test_examples(vector: dict[str, object]) -> None:
    assert count_words(str(vector["text"])) == vector["words"]


@given(first=st.text(), second=st.text(), space=st.sampled_from(" \n\t\u3000\u00a0"))
def test_words_of_two_texts_add_up(first: str, second: str, space: str) -> None:
    assert count_words(first + space + second) == count_words(first) + count_words(second)


@given(
    words=st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True)),
    space=st.sampled_from([" ", "  ", "\n", " - "]),
)
def test_plain_words_are_counted_whatever_stands_between(words: list[str], space: str) -> None:
    assert count_words(space.join(words)) == len(words)
