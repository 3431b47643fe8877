"""Files that only stand in for the file that was meant, such as a web page after a failed download."""

from __future__ import annotations

from pathlib import Path

from morpholaw.errors import InputError


def refuse_stand_in(start: bytes, path: Path) -> None:
    """Reject a web page or a Git LFS pointer by its first bytes.

    Parameters
    ----------
    start : bytes
        First bytes of the file, 100 or more.
    path : Path
        The file, for messages.

    Raises
    ------
    InputError
        If it is such a file.
    """
    if start.startswith(b"version https://git-lfs"):
        raise InputError(
            f"{path} is a Git LFS pointer and not the file itself; fetch it with git lfs pull, or download it."
        )
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{path} is a web page and not the file itself; download it again.")
