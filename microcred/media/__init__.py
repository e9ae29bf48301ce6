"""What is done to a file before others see it: scanned, freed of location data, copied into a form that every
browser plays. Works on files on disk; knows nothing of evidence or tries.
"""

from microcred.media.clamd import Clamd, ScannerAway, TooLargeToScan, Verdict
from microcred.media.copies import Copy, CopyFailed, seconds_of, viewing_copy
from microcred.media.location import Location, remove_location
from microcred.media.running import Tools, find_ffmpeg
from microcred.media.text import words_of

__all__ = [
    "Clamd",
    "Copy",
    "CopyFailed",
    "Location",
    "ScannerAway",
    "TooLargeToScan",
    "Tools",
    "Verdict",
    "find_ffmpeg",
    "remove_location",
    "seconds_of",
    "viewing_copy",
    "words_of",
]
