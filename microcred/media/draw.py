"""Draws a picture as a JPEG without metadata: `draw.py FROM TO`. A program of its own, run under limits."""

import sys

import pillow_heif
from PIL import Image, ImageOps

_MOST_PIXELS = 200_000_000
_EDGE = 3000


def main(source: str, target: str) -> None:
    """Turn it as it is meant, fit it into 3000 pixels, write it; ends with an error for anything else."""
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2  # an error from twice as many on
    with Image.open(source) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            sys.exit("too many pixels")
        drawn = ImageOps.exif_transpose(picture).convert("RGB")
    drawn.thumbnail((_EDGE, _EDGE))
    drawn.save(target, "JPEG", quality=88)


if __name__ == "__main__":
    main(*sys.argv[1:])
