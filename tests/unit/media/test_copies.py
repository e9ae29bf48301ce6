"""Copies for viewing: what phones make plays in every browser, and what is no picture ends without harm."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from microcred.media import CopyFailed, Tools, viewing_copy
from microcred.media.running import ProgramFailed, find_ffmpeg, run
from tests.unit.media import samples


def inside(path: Path) -> str:
    """What ffmpeg says of a file."""
    command = [str(find_ffmpeg()), "-nostdin", "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stderr


@pytest.mark.parametrize(("form", "media_type"), [("HEIF", "image/heic"), ("TIFF", "image/tiff")])
def test_a_photo_of_a_phone_becomes_a_jpeg_without_a_place(
    tmp_path: Path, form: str, media_type: str
) -> None:
    path = tmp_path / "original"
    path.write_bytes(samples.picture(form))
    copy = viewing_copy(path, media_type, samples.tools(tmp_path))
    assert copy is not None
    assert (copy.media_type, copy.size) == ("image/jpeg", copy.path.stat().st_size)
    with Image.open(copy.path) as picture:
        assert picture.size == (64, 48)
        assert picture.getpixel((4, 4))[0] > 180  # type: ignore[index]
        assert dict(picture.getexif()) == {}


HEVC = "-c:v libx265 -x265-params log-level=none"
PHONE_SOUND = "-c:a libopencore_amrnb -ar 8000 -ac 1 -b:a 12.2k"


@pytest.mark.parametrize(
    ("options", "media_type", "becomes"),
    [
        (f"-f mov {HEVC} -tag:v hvc1 -c:a aac", "video/quicktime", "video/mp4"),
        (f"-f mp4 {HEVC} -c:a aac", "video/mp4", "video/mp4"),
        ("-f mov -c:v libx264 -pix_fmt yuv420p -c:a aac", "video/quicktime", "video/mp4"),
        (f"-f 3gp -c:v h263 {PHONE_SOUND}", "video/3gpp", "video/mp4"),
        (f"-f amr -vn {PHONE_SOUND}", "audio/amr", "audio/mp4"),
    ],
    ids=["hevc-mov", "hevc-mp4", "h264-mov", "3gp", "amr"],
)
def test_a_recording_of_a_phone_becomes_one_that_plays(
    tmp_path: Path, options: str, media_type: str, becomes: str
) -> None:
    path = samples.film(tmp_path / "original", *options.split())
    copy = viewing_copy(path, media_type, samples.tools(tmp_path))
    assert copy is not None
    assert copy.media_type == becomes
    said = inside(copy.path)
    assert "Audio: aac" in said
    assert ("Video: h264" in said) is (becomes == "video/mp4")


def test_what_plays_already_is_not_copied(tmp_path: Path) -> None:
    options = ("-f", "mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    path = samples.film(tmp_path / "original", *options)
    assert viewing_copy(path, "video/mp4", samples.tools(tmp_path)) is None
    assert viewing_copy(path, "application/pdf", samples.tools(tmp_path)) is None


@pytest.mark.parametrize("media_type", ["image/heic", "video/quicktime", "audio/amr"])
def test_noise_makes_no_copy(tmp_path: Path, media_type: str) -> None:
    path = tmp_path / "original"
    path.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(CopyFailed) as failed:
        viewing_copy(path, media_type, samples.tools(tmp_path))
    assert failed.value.code == "failed"


def test_a_playlist_in_a_films_clothing_reads_nothing_else(tmp_path: Path) -> None:
    """ffmpeg would follow the addresses of a playlist; here it may open the file alone."""
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    path = tmp_path / "original"
    path.write_text(
        f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nconcat:http://127.0.0.1:9/|file://{secret}\n"
    )
    with pytest.raises(CopyFailed):
        viewing_copy(path, "video/mp4", samples.tools(tmp_path))
    assert not (tmp_path / "copy.mp4").exists() or b"a secret" not in (tmp_path / "copy.mp4").read_bytes()


def test_a_machine_without_ffmpeg_says_so(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(b"#!AMR\n")
    with pytest.raises(CopyFailed) as failed:
        viewing_copy(path, "audio/amr", Tools(tmp_path, None))
    assert failed.value.code == "no_ffmpeg"


def python(
    folder: Path, code: str, *, seconds: int = 20, written: int = 1 << 20, memory: int = 1 << 30
) -> str:
    return run([sys.executable, "-c", code], folder=folder, seconds=seconds, written=written, memory=memory)


def test_a_program_runs_under_its_limits(tmp_path: Path) -> None:
    assert python(tmp_path, "import sys; sys.stderr.write('done')") == "done"
    with pytest.raises(ProgramFailed, match="failed"):
        python(tmp_path, "x = bytearray(2 << 30)")
    with pytest.raises(ProgramFailed, match="failed"):
        python(tmp_path, "open('big', 'wb').write(bytes(2 << 20))")
    started = time.monotonic()
    with pytest.raises(ProgramFailed, match="took_too_long"):
        python(tmp_path, "import time; time.sleep(60)", seconds=1)
    assert time.monotonic() - started < 20
