"""A real movie to try: HeLa cells of the Cell Tracking Challenge, fetched from its site when it is asked for."""

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
"""The archive's checksum; not known yet. Until it is, the first one that a machine sees is kept and asked for again."""
PARTS = (f"{NAME}/02/", f"{NAME}/02_GT/TRA/")
"""What is unpacked: the frames of sequence 02 and its tracks."""
PIXEL_SIZE = 0.645
"""Micrometres per pixel, as the challenge's site says; the files do not."""
ABOUT = (
    f"{NAME}, sequence 02: a movie of 92 frames of HeLa cells (H2B-GFP, {PIXEL_SIZE} µm per pixel, 30 minutes per "
    "frame) with tracks, by the MitoCheck consortium, from the Cell Tracking Challenge. The download is 182 MB. It may "
    "be used for research where the challenge is acknowledged and Ulman et al., Nature Methods 14:1141 (2017), is "
    "cited; for publications that have nothing to do with the challenge the MitoCheck consortium is to be asked first, "
    "and for commercial use the challenge's organisers as well."
)
"""What a person is told, and agrees to, before it is fetched."""


def is_fetched(folder: Path) -> bool:
    """Whether the movie is in ``folder`` already."""
    return all((folder / part).is_dir() for part in PARTS)


def fetch_real_movie(folder: Path, monitor: Monitor = SILENT) -> Path:
    """Fetch the movie into ``folder``, once, and return the folder of the data set, with 02 and 02_GT in it.

    Ask before you call it: see :data:`ABOUT`.

    Parameters
    ----------
    folder : Path
        Where it is kept; the movie is in a folder of its own in there.
    monitor : Monitor
        Is told how many bytes have come, and may stop the download.

    Raises
    ------
    InputError
        There is no network, or what came is not the archive that is expected.
    InterruptedError
        The monitor stopped it.
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
    """Tells a monitor what pooch tells a progress bar."""

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

    pooch.get_logger().setLevel("ERROR")  # it would print the checksum, which is kept in a file here
    fetch = pooch.HTTPDownloader(progressbar=_Bar(monitor), timeout=30)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(pooch.retrieve(URL, SHA256, fname=f"{NAME}.zip", path=folder, downloader=fetch))
    except InterruptedError:
        raise
    except OSError as error:  # those of requests are of this kind
        raise InputError(
            f"The movie could not be fetched from {URL}; there may be no network here. Download it elsewhere and "
            f"unpack it in {folder}, so that {folder / PARTS[0]} holds the frames, then try again."
        ) from error
    except ValueError as error:
        raise InputError(f"What came from {URL} is not the movie: its checksum is another one.") from error


def _checked(archive: Path) -> str:
    """Return the archive's checksum, which is that of the archive that was fetched before, if one was."""
    import pooch

    found, kept = str(pooch.file_hash(str(archive))), archive.with_suffix(".sha256")
    if kept.exists() and (expected := kept.read_text(encoding="utf-8").strip()) != found:
        raise InputError(
            f"What came from {URL} differs from what was fetched before: its SHA-256 is {found} and was {expected}. "
            f"If the site says that it was changed, delete {kept} and try again."
        )
    return found


def _unpack(archive: Path, folder: Path) -> None:
    partial = temporary_path(folder / NAME)
    try:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(partial, [name for name in opened.namelist() if name.startswith(PARTS)])
        if not is_fetched(partial):
            raise InputError(f"The archive from {URL} does not hold {' and '.join(PARTS)}.")
        replace_folder(partial / NAME, folder / NAME)
    except zipfile.BadZipFile as error:
        raise InputError(f"What came from {URL} is not a ZIP archive; try again later.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
