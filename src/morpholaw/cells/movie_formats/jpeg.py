"""The cost of decoding a JPEG image, which grows with its number of scans."""

from __future__ import annotations

MOST_SCANS = 100
"""Maximum number of scans of a progressive JPEG; encoders write about ten."""


def count_scans(data: bytes) -> int:
    """Count the scans (SOS markers) of a JPEG image."""
    return data.count(b"\xff\xda")
