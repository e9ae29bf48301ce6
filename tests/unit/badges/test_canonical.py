"""Canonical names for nodes without an id: those of pyoxigraph's whole algorithm, however put together."""

import random

import pyoxigraph as ox
import pytest

from microcred.badges.canonical import Node, Statement, canonical_lines, nameless, part
from microcred.badges.errors import IntegrityError


def whole(statements: list[Statement]) -> bytes:
    """What pyoxigraph alone makes of them."""
    lines = []
    for statement in statements:
        words = [f"_:n{one}" if isinstance(one, int) else one for one in statement]
        lines.append(" ".join(word for word in words if word) + " .\n")
    dataset = ox.Dataset(ox.parse("".join(lines).encode(), format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    made = ox.serialize(dataset, format=ox.RdfFormat.N_QUADS)
    assert made is not None
    return b"".join(sorted(made.splitlines(keepends=True)))


def some(chance: random.Random, nodes: int, literals: int) -> list[Statement]:
    """A random document: the fewer different literals, the more nodes look alike."""
    nameless_ones: list[Node] = [nameless() for _ in range(nodes)]
    named: list[Node] = ["<urn:a>", "<urn:b>"]
    values: list[Node] = [f'"value {number}"' for number in range(literals)]
    graphs: list[Node] = ["", "", "", nameless_ones[0], "<urn:graph>"]
    return [
        (
            chance.choice(nameless_ones + named),
            f"<urn:p{chance.randrange(3)}>",
            chance.choice(nameless_ones + named + values * 2),
            chance.choice(graphs),
        )
        for _ in range(3 * nodes)
    ]


@pytest.mark.parametrize("seed", range(40))
def test_names_are_those_of_the_whole_algorithm(seed: int) -> None:
    chance = random.Random(seed)
    one = some(chance, nodes=chance.randrange(1, 6), literals=chance.randrange(1, 30))
    other = some(chance, nodes=chance.randrange(1, 6), literals=chance.randrange(1, 30))
    made = canonical_lines([part(one), part(other)])
    assert made == whole(one + other)
    assert made == canonical_lines([part(other + one)])


def ring(size: int) -> list[Statement]:
    """Nodes that all speak of each other and look alike."""
    nodes = [nameless() for _ in range(size)]
    return [(one, "<urn:p>", other, "") for one in nodes for other in nodes if one != other]


def test_what_would_keep_its_reader_busy_is_refused() -> None:
    six = ring(6)
    assert canonical_lines([part(six)]) == whole(six)
    for busy in (ring(7), [one for _ in range(5) for one in ring(5)]):
        with pytest.raises(IntegrityError, match="too_alike"):
            canonical_lines([part(busy)])


def test_many_that_look_alike_and_do_not_speak_of_each_other_are_no_trouble() -> None:
    twins: list[Statement] = [("<urn:a>", "<urn:p>", nameless(), "") for _ in range(50)]
    assert canonical_lines([part(twins)]) == whole(twins)


def test_what_is_said_twice_counts_once() -> None:
    node = nameless()
    said: list[Statement] = [(node, "<urn:p>", '"x"', ""), ("<urn:a>", "<urn:p>", node, "")]
    assert canonical_lines([part(said * 2), part(said[:0])]) == whole(said)
