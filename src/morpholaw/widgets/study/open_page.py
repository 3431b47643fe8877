"""Opens a page that a step has written."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_info
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices


def open_page(page: Path) -> None:
    """Open a page in the browser, and say where it is, because not every computer has a browser."""
    show_info(f"Wrote {page}.")
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))
