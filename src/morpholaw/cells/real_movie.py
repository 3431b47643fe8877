"""Download of a real movie: HeLa cells from the Cell Tracking Challenge."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from morpholaw.cells.files import replace_folder, temporary_path
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor, Progress

NAME = "Fluo-N2DL-HeLa"
URL = f"https://data.celltrackingchallenge.net/training-datasets/{NAME}.zip"
SHA256: str | None = None
"""Checksum of the archive, not known yet. Until then, the checksum of the first download on a machine is required."""
PARTS = (f"{NAME}/02/", f"{NAME}/02_GT/TRA/")
"""Parts of the archive that are unpacked: the frames of sequence 02 and its tracks."""
PIXEL_SIZE = 0.645
"""Micrometres per pixel according to the challenge's site; the files do not state it."""
ABOUT = (
    f"{NAME}, sequence 02: a movie of 92 frames of HeLa cells (H2B-GFP, {PIXEL_SIZE} µm per pixel, 30 minutes per "
    "frame) with tracks, by the MitoCheck consortium, from the Cell Tracking Challenge. The download is 182 MB. It may "
    "be used for research where the challenge is acknowledged and Ulman et al., Nature Methods 14:1141 (2017), is "
    "cited; for publications that have nothing to do with the challenge the MitoCheck consortium is to be asked first, "
    "and for commercial use the challenge's organisers as well."
)
"""Information to show to the user, who must agree before the download."""


def is_fetched(folder: Path) -> bool:
    """Return whether the movie is already in ``folder``."""
    return all((folder / part).is_dir() for part in PARTS)


def fetch_real_movie(folder: Path, monitor: Monitor = SILENT) -> Path:
    """Download the movie to ``folder`` unless it is there.

    Ask the user for consent first; see :data:`ABOUT`.

    Parameters
    ----------
    folder : Path
        Folder to download to; the movie gets a subfolder.
    monitor : Monitor
        Receives the number of downloaded bytes, and can stop the download.

    Returns
    -------
    Path
        Folder of the data set, which contains 02 and 02_GT.

    Raises
    ------
    InputError
        If there is no network, or the downloaded file is not the expected archive.
    InterruptedError
        If the monitor stopped the download.
    """
    if not is_fetched(folder):
        archive = _download(folder, monitor)
        try:
            checksum = _checked(archive)
            _unpack(archive, folder)
            archive.with_suffix(".sha256").write_text(checksum + "\n", encoding="utf-8")
        finally:
            archive.unlink(missing_ok=True)
    return folder / NAME


class _Bar:
    """Passes pooch's progress on to a monitor."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor, self.total, self.done = monitor, 0, 0

    def update(self, size: int) -> None:
        self.done += size
        self.monitor.emit(Progress(self.done, self.total, "download"))
        if self.monitor.should_stop():
            raise InterruptedError("The download was stopped; nothing was kept.")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def _download(folder: Path, monitor: Monitor) -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")  # otherwise it prints the checksum, which is kept in a file here
    fetch = pooch.HTTPDownloader(progressbar=_Bar(monitor), timeout=30)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(pooch.retrieve(URL, SHA256, fname=f"{NAME}.zip", path=folder, downloader=fetch))
    except InterruptedError:
        raise
    except OSError as error:  # includes the errors of requests
        raise InputError(
            f"The movie could not be downloaded from {URL}; the network may be unavailable. Download it elsewhere and "
            f"unpack it in {folder}, so that {folder / PARTS[0]} contains the frames, then try again."
        ) from error
    except ValueError as error:
        raise InputError(f"The file from {URL} is not the movie: its checksum differs.") from error


def _checked(archive: Path) -> str:
    """Return the checksum of the archive, which must equal that of an earlier download if there was one."""
    import pooch

    checksum, kept = str(pooch.file_hash(str(archive))), archive.with_suffix(".sha256")
    if kept.exists() and (expected := kept.read_text(encoding="utf-8").strip()) != checksum:
        raise InputError(
            f"The file from {URL} differs from the earlier download: its SHA-256 is {checksum} instead of {expected}. "
            f"If the site says that it was changed, delete {kept} and try again."
        )
    return checksum


def _unpack(archive: Path, folder: Path) -> None:
    partial = temporary_path(folder / NAME)
    try:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(partial, [name for name in opened.namelist() if name.startswith(PARTS)])
        if not is_fetched(partial):
            raise InputError(f"The archive from {URL} does not contain {' and '.join(PARTS)}.")
        replace_folder(partial / NAME, folder / NAME)
    except zipfile.BadZipFile as error:
        raise InputError(f"The file from {URL} is not a ZIP archive; try again later.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
