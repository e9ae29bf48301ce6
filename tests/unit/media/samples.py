"""Files as phones and offices make them, each with the place where it was made: 40.7128 N, 74.0060 W."""

import io
import subprocess
import zipfile
from pathlib import Path

import pikepdf
import pillow_heif
from PIL import Image

from microcred.media import Tools, find_ffmpeg

SECOND = 46.08
"""Seconds of the latitude; as a fraction, its bytes are looked for in what should not have it any more."""
PLACE = b"+40.7128-074.0060"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="40,42.768N"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def tools(folder: Path) -> Tools:
    """The tools of this machine, with a short patience."""
    return Tools(folder, find_ffmpeg(), seconds=60)


def drawing() -> Image.Image:
    """A picture whose corners differ, so that it is seen how it is turned: red at the upper left."""
    picture = Image.new("RGB", (64, 48), (20, 120, 40))
    picture.paste((220, 20, 20), (0, 0, 16, 12))
    return picture


def exif(turned: int = 1) -> Image.Exif:
    """Metadata with a position, a camera and how the picture is turned."""
    said = Image.Exif()
    said[0x010F], said[0x0112] = "Demo Phone", turned
    said.get_ifd(0x8825).update({1: "N", 2: (40.0, 42.0, SECOND), 3: "W", 4: (74.0, 0.0, 21.6)})
    said.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0Demo School, room 12"
    return said


def picture(form: str, *, turned: int = 1) -> bytes:
    """A picture in a form that Pillow writes, or HEIF."""
    file = io.BytesIO()
    options = {"exif": exif(turned).tobytes(), "xmp": XMP}
    if form == "HEIF":
        pillow_heif.from_pillow(drawing()).save(file, **options)
    elif form == "TIFF":
        drawing().save(file, form, exif=exif(turned).tobytes())
    else:
        drawing().save(file, form, **options)
    return file.getvalue()


def film(path: Path, *options: str) -> Path:
    """A second of picture and sound, made by ffmpeg with these options."""
    ffmpeg = find_ffmpeg()
    assert ffmpeg is not None
    subprocess.run(
        [
            *(ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
            *("-f", "lavfi", "-i", "testsrc=size=176x144:rate=10:duration=1"),
            *("-f", "lavfi", "-i", "sine=duration=1", *options, str(path)),
        ],
        check=True,
        timeout=60,
    )
    return path


def office() -> bytes:
    """A Word file with a photo, and the name of who made it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document>The board</w:document>")
        archive.writestr("word/media/image1.jpeg", picture("JPEG"))
        archive.writestr("docProps/core.xml", "<cp><dc:creator>Terry Tryout</dc:creator></cp>")
    return file.getvalue()


def pdf() -> bytes:
    """A PDF with a photo, a title, and metadata of its own."""
    made = pikepdf.new()
    page = made.add_blank_page()
    photo = pikepdf.Stream(made, picture("JPEG"))
    photo.update({"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Image, "/Width": 64, "/Height": 48})
    photo.update(
        {"/ColorSpace": pikepdf.Name.DeviceRGB, "/BitsPerComponent": 8, "/Filter": pikepdf.Name.DCTDecode}
    )
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=made.make_indirect(photo)))
    page.Contents = made.make_stream(b"q 640 0 0 480 0 0 cm /P Do Q")
    made.Root.Metadata = made.make_stream(XMP)
    made.docinfo["/Author"] = "Terry Tryout"
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()
