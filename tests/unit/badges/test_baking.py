"""Baking: what goes in comes out, the picture stays the picture, and no file can hurt its reader."""

import contextlib
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from microcred.badges.baking import BakedBadge, bake, extract
from microcred.badges.errors import BakingError

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture() -> bytes:
    image = Image.new("RGBA", (12, 9), (31, 78, 121, 200))
    image.putpixel((3, 4), (242, 177, 52, 255))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PICTURE = picture()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(added: bytes) -> bytes:
    end = PICTURE.index(b"IEND") - 4
    return PICTURE[:end] + added + PICTURE[end:]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(ob2=TEXT, ob3=TEXT)
def test_both_texts_come_out_as_they_went_in(ob2: str, ob3: str) -> None:
    assert extract(bake(PICTURE, ob2=ob2, ob3=ob3)) == BakedBadge(ob2, ob3)


def test_the_pixels_stay_as_they_were() -> None:
    baked = Image.open(io.BytesIO(bake(PICTURE, ob2="{}", ob3="{}")))
    assert baked.tobytes() == Image.open(io.BytesIO(PICTURE)).tobytes()


def test_another_reader_finds_the_texts_uncompressed() -> None:
    baked = Image.open(io.BytesIO(bake(PICTURE, ob2='{"é": "😀"}', ob3="{}")))
    baked.load()
    assert isinstance(baked, Image.Image)
    assert baked.info["openbadges"] == '{"é": "😀"}'
    assert baked.info["openbadgecredential"] == "{}"


def test_baking_again_replaces_what_was_there() -> None:
    once = bake(PICTURE, ob2="old", ob3="old")
    again = bake(once, ob2="new", ob3="newer")
    assert extract(again) == BakedBadge("new", "newer")
    assert again == bake(PICTURE, ob2="new", ob3="newer")


def test_other_text_in_a_picture_is_kept() -> None:
    comment = chunk(b"iTXt", b"Comment\0\0\0\0\0hello")
    baked = bake(with_chunk(comment), ob2="a", ob3="b")
    assert comment in baked
    assert extract(baked) == BakedBadge("a", "b")


def test_a_plain_picture_carries_nothing() -> None:
    assert extract(PICTURE) == BakedBadge(None, None)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "not_a_png"),
        (b"GIF89a" + PICTURE, "not_a_png"),
        (SIGNATURE, "chunk_invalid"),
        (SIGNATURE + b"\xff\xff\xff\xffIHDR", "chunk_invalid"),
        (SIGNATURE + b"\xff\xff\xff\xffIHDR" + bytes(100), "chunk_invalid"),
        (PICTURE[:-12], "chunk_invalid"),
        (SIGNATURE + chunk(b"IEND", b""), "chunk_invalid"),
        (SIGNATURE + chunk(b"IHDR", bytes(13)) * 2 + chunk(b"IEND", b""), "chunk_invalid"),
        (
            SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"tEXt", b"") * 5000 + chunk(b"IEND", b""),
            "chunk_invalid",
        ),
        (PICTURE.replace(b"IDAT", b"IDAX"), "chunk_invalid"),
        (PICTURE + bytes(9 * 1024 * 1024), "too_large"),
    ],
)
def test_files_that_are_no_whole_picture_are_refused(file: bytes, code: str) -> None:
    with pytest.raises(BakingError) as refused:
        extract(file)
    assert refused.value.code == code
    with pytest.raises(BakingError):
        bake(file, ob2="a", ob3="b")


BOMB = zlib.compress(bytes(10_000_000))


@pytest.mark.parametrize(
    ("added", "code"),
    [
        (chunk(b"iTXt", b"openbadges\0\0\0\0\0a") * 2, "badge_doubled"),
        (chunk(b"iTXt", b"openbadgecredential\0\x01\0\0\0" + BOMB), "text_invalid"),
        (chunk(b"iTXt", b"openbadges"), "text_invalid"),
        (chunk(b"iTXt", b"openbadges\0\0\0en"), "text_invalid"),
        (chunk(b"iTXt", b"openbadges\0\0\0\0\0\xff\xfe"), "text_invalid"),
        (chunk(b"iTXt", b"openbadges\0\0\0\0\0" + b"a" * 1_100_000), "text_invalid"),
    ],
)
def test_badges_that_cannot_be_read_safely_are_refused(added: bytes, code: str) -> None:
    with pytest.raises(BakingError) as refused:
        extract(with_chunk(added))
    assert refused.value.code == code


@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, flip: int) -> None:
    """Every byte of the picture is under a checksum, but for the checksums' own, which then fail."""
    baked = bytearray(bake(PICTURE, ob2='{"a": 1}', ob3='{"b": 2}'))
    baked[place % len(baked)] ^= flip
    with pytest.raises(BakingError):
        extract(bytes(baked))


@given(data=st.binary(max_size=400))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    for file in (data, SIGNATURE + data, with_chunk(data), with_chunk(chunk(b"iTXt", b"openbadges" + data))):
        with contextlib.suppress(BakingError):
            extract(file)


@pytest.mark.parametrize(
    ("text", "code"), [("a\0b", "text_invalid"), ("\ud800", "text_invalid"), ("a" * 1_100_000, "too_large")]
)
def test_texts_that_no_chunk_can_hold_are_refused(text: str, code: str) -> None:
    with pytest.raises(BakingError) as refused:
        bake(PICTURE, ob2="{}", ob3=text)
    assert refused.value.code == code
