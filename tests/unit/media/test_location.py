"""Location data leave every kind of file that may have them, and nothing else does."""

import contextlib
import io
import subprocess
import zipfile
from pathlib import Path

import pikepdf
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from microcred.media import Location, boxes, images, remove_location
from microcred.media.running import find_ffmpeg
from tests.unit.media import samples

GPS = 0x8825
IMAGES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
}


def put(folder: Path, content: bytes) -> Path:
    """A file of this content."""
    path = folder / "original"
    path.write_bytes(content)
    return path


def said_by(path: Path) -> dict[int, object]:
    """The position that an independent reader finds."""
    pillow_heif.register_heif_opener()
    with Image.open(path) as picture:
        return dict(picture.getexif().get_ifd(GPS))


def pixels(path: Path) -> bytes:
    """The picture alone."""
    with Image.open(path) as picture:
        return picture.convert("RGB").tobytes()


def names_a_place(content: bytes) -> bool:
    """Whether a recording names the place: as text, or as the box of 3GP (3GPP TS 26.244, 8.10)."""
    return b"40.7128" in content or b"loci" in content


def latitude(content: bytes) -> bool:
    """Whether the seconds of the latitude stand in it as a fraction, in either order of bytes."""
    numbers = [(round(samples.SECOND * scale), scale) for scale in (25, 50, 100, 1000)]
    return any(
        high.to_bytes(4, order) + low.to_bytes(4, order) in content
        for high, low in numbers
        for order in ("little", "big")
    )


@pytest.mark.parametrize("form", IMAGES)
def test_a_photo_keeps_its_pixels_and_loses_its_place(tmp_path: Path, form: str) -> None:
    content = samples.picture(form)
    path = put(tmp_path, content)
    assert said_by(path)
    assert latitude(content)
    pillow_heif.register_heif_opener()
    before = pixels(path)
    assert remove_location(path, IMAGES[form], samples.tools(tmp_path)) is Location.REMOVED
    after = path.read_bytes()
    assert not any(said_by(path).values())
    assert not latitude(after)
    assert b"GPSLatitude" not in after
    assert b"room 12" not in after
    assert pixels(path) == before
    assert remove_location(path, IMAGES[form], samples.tools(tmp_path)) is Location.NONE


def test_a_photo_that_lies_on_its_side_stays_the_way_it_is_seen(tmp_path: Path) -> None:
    path = put(tmp_path, samples.picture("JPEG", turned=6))
    remove_location(path, "image/jpeg", samples.tools(tmp_path))
    with Image.open(path) as picture:
        assert picture.getexif()[0x0112] == 6


def test_what_a_phone_appends_to_a_photo_goes_too(tmp_path: Path) -> None:
    path = put(tmp_path, samples.picture("JPEG") + b"\0\0\0\x18ftypmp42" + samples.PLACE)
    remove_location(path, "image/jpeg", samples.tools(tmp_path))
    assert samples.PLACE not in path.read_bytes()


@pytest.mark.parametrize("form", ["GIF", "BMP"])
def test_a_photo_without_a_place_is_left_as_it_is(tmp_path: Path, form: str) -> None:
    file = io.BytesIO()
    samples.drawing().save(file, form)
    path = put(tmp_path, file.getvalue())
    assert remove_location(path, f"image/{form.lower()}", samples.tools(tmp_path)) is Location.NONE
    assert path.read_bytes() == file.getvalue()


@given(st.data())
def test_a_damaged_photo_is_refused_or_freed_but_never_breaks(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"]))
    content = bytearray(samples.picture(form))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(1, len(content)))])
    with contextlib.suppress(images.Unreadable):
        images.STRIPPERS[IMAGES[form]](cut)


PHONE_SOUND = "-c:a libopencore_amrnb -ar 8000 -ac 1 -b:a 12.2k"


@pytest.mark.parametrize(
    ("options", "media_type"),
    [
        ("-f mov -c:v libx264 -c:a aac", "video/quicktime"),
        ("-f mp4 -c:v libx264 -c:a aac", "video/mp4"),
        (f"-f 3gp -c:v h263 {PHONE_SOUND}", "video/3gpp"),
        ("-f matroska -c:v libx264 -c:a aac", "video/x-matroska"),
        ("-f webm -c:v libvpx -c:a libopus", "video/webm"),
        ("-f mp3 -vn", "audio/mpeg"),
        ("-f ipod -vn -c:a aac", "audio/mp4"),
    ],
)
def test_a_recording_plays_on_and_loses_its_place(tmp_path: Path, options: str, media_type: str) -> None:
    place = ("-metadata", f"location={samples.PLACE.decode()}")
    path = samples.film(tmp_path / "original", *place, *options.split())
    assert names_a_place(path.read_bytes())
    if media_type in ("video/quicktime", "video/mp4"):
        size = path.stat().st_size
        assert boxes.strip(path).position
        assert path.stat().st_size == size
    else:
        assert remove_location(path, media_type, samples.tools(tmp_path)) is Location.REMOVED
    assert not names_a_place(path.read_bytes())
    assert remove_location(path, media_type, samples.tools(tmp_path)) is Location.NONE
    command = [str(find_ffmpeg()), "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_no_film_is_left_as_it_is_and_said_to_be(tmp_path: Path) -> None:
    content = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 50
    path = put(tmp_path, content)
    assert remove_location(path, "video/mp4", samples.tools(tmp_path)) is Location.KEPT
    assert path.read_bytes() == content


def test_a_document_loses_the_place_of_its_photos_and_who_made_it(tmp_path: Path) -> None:
    path = put(tmp_path, samples.office())
    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert remove_location(path, media_type, samples.tools(tmp_path)) is Location.REMOVED
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert b"The board" in archive.read("word/document.xml")
        assert not latitude(archive.read("word/media/image1.jpeg"))
        assert b"Tryout" not in archive.read("docProps/core.xml")


def test_a_pdf_loses_the_place_of_its_photos_and_who_made_it(tmp_path: Path) -> None:
    content = samples.pdf()
    path = put(tmp_path, content)
    assert latitude(content)
    assert remove_location(path, "application/pdf", samples.tools(tmp_path)) is Location.REMOVED
    with pikepdf.open(path) as pdf:
        assert "/Metadata" not in pdf.Root
        assert dict(pdf.docinfo.items()) == {}
        photo = pdf.pages[0].Resources.XObject.P.read_raw_bytes()
    assert Image.open(io.BytesIO(photo)).size == (64, 48)
    assert not latitude(path.read_bytes())
    assert b"Tryout" not in path.read_bytes()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"PK\x03\x04 cut off", "application/vnd.oasis.opendocument.text"),
        (b"%PDF-1.7 cut off", "application/pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
        (b"<html></html>", "text/html"),
    ],
)
def test_where_nothing_can_be_taken_out_that_is_said(tmp_path: Path, content: bytes, media_type: str) -> None:
    path = put(tmp_path, content)
    assert remove_location(path, media_type, samples.tools(tmp_path)) is Location.KEPT
    assert path.read_bytes() == content


def test_a_locked_pdf_is_said_to_keep_what_it_has(tmp_path: Path) -> None:
    path = put(tmp_path, samples.pdf())
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user="user"))
    assert remove_location(path, "application/pdf", samples.tools(tmp_path)) is Location.KEPT
