"""Count the mouse clicks from an empty napari to a law card, and to a law of a real movie; prints tables in Markdown.

Clicks are real mouse events at the position of a control, and fail if something else is in front of it. Scrolling and
typing are not counted; clicks that label cells are counted separately. Without a screen::

    xvfb-run -a -s "-screen 0 1400x1000x24" python benchmarks/click_paths.py sample
    xvfb-run -a -s "-screen 0 1400x1000x24" python benchmarks/click_paths.py movie FOLDER

FOLDER is a Cell Tracking Challenge data set with a movie and its tracks, which is dropped on the viewer. The script
labels 25 of its cells; those just before a division are labelled metaphase.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))

import napari
import numpy as np
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, QSettings, Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QMenu, QWidget

from morpholaw.widgets.napari_readers import sample_data
from morpholaw.widgets.study.preferences import Preferences

HOME = Path(tempfile.mkdtemp(prefix="morpholaw-clicks-"))
SIZE = (1280, 800)
LABELS = 25
"""Cells that are labelled in the real movie."""
MINUTES = 60
"""Longest wait for a step."""


class Hand:
    """Clicks with the mouse in a viewer's window and counts the clicks.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, on a screen.

    Attributes
    ----------
    clicks : list of str
        What was clicked.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self.viewer = viewer
        self.window = viewer.window._qt_window
        self.clicks: list[str] = []

    def click(self, widget: QWidget, what: str, at: QPoint | None = None) -> None:
        """Click a widget at its centre or at a position in it; raise RuntimeError if it cannot be reached."""
        self.bring_into_view(widget)
        place = widget.mapToGlobal(widget.rect().center() if at is None else at)
        there = QApplication.widgetAt(place)
        if there is None or not (there is widget or widget.isAncestorOf(there)) or not widget.isEnabled():
            raise RuntimeError(f"{what} cannot be clicked at {place}: {there!r} is there.")
        self.clicks.append(what)  # before a dialog, which is answered while the click lasts
        window = widget.window()
        QTest.mouseClick(
            window.windowHandle(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            window.mapFromGlobal(place),
        )
        wait(0.2)

    def bring_into_view(self, widget: QWidget) -> None:
        """Scroll to a widget, as with the mouse wheel."""
        parent = widget.parentWidget()
        while parent is not None:
            if hasattr(parent, "ensureWidgetVisible"):
                parent.ensureWidgetVisible(widget)
                wait(0.05)
            parent = parent.parentWidget()

    def menu(self, *titles: str) -> None:
        """Click through the window's menus."""
        bar: Any = self.window.menuBar()
        for title in titles:
            action = next(a for a in bar.actions() if a.text().replace("&", "").startswith(title))
            self.click(bar, title, bar.actionGeometry(action).center())
            bar = action.menu()
            if isinstance(bar, QMenu):
                until(bar.isVisible, 10)

    def panel(self, name: str) -> Any:
        """Open a panel from the menu."""
        self.menu("Plugins", "Morpholaw", name)
        return self.opened(name)

    def opened(self, name: str) -> Any:
        """Wait until a panel is open."""
        until(lambda: any(title.startswith(name) for title in self.viewer.window.dock_widgets), 60 * MINUTES)
        docks = self.viewer.window.dock_widgets
        return next(widget for title, widget in docks.items() if title.startswith(name))

    def choose(self, combo: Any, text: str) -> None:
        """Open a drop-down and click a choice."""
        self.click(combo, "the drop-down of presets")
        view = combo.view()
        until(view.isVisible, 5)
        index = view.model().index(combo.findText(text), combo.modelColumn())
        self.click(view.viewport(), text, view.visualRect(index).center())

    def name_folder(self, button: QWidget, what: str, path: Path) -> None:
        """Click a button that asks for a folder, type its name and click Save."""
        self._answer(lambda dialog: self._save(dialog, path))
        self.click(button, what)

    def drop(self, folder: Path) -> None:
        """Drop a folder on the canvas, and click OK if napari asks which plugin should open it."""
        target: QWidget = self.viewer.window._qt_viewer
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(folder))])
        place, button, keys = (
            QPointF(target.rect().center()),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        self._answer(self._first_choice)
        for event in (
            QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, data, button, keys),
            QDropEvent(place, Qt.DropAction.CopyAction, data, button, keys, QEvent.Type.Drop),
        ):
            QApplication.sendEvent(target, event)

    def _answer(self, answer: Callable[[QDialog], None]) -> None:
        """Answer the next dialog that opens, which runs its own event loop."""

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if isinstance(dialog, QDialog) and dialog.isVisible():
                timer.stop()
                wait(0.3)
                answer(dialog)

        timer = QTimer(self.window)
        timer.timeout.connect(look)
        timer.start(200)

    def _save(self, dialog: QDialog, path: Path) -> None:
        assert isinstance(dialog, QFileDialog)
        dialog.findChild(QLineEdit).setText(str(path))
        self._accept(dialog, "Save")

    def _first_choice(self, dialog: QDialog) -> None:
        self._accept(dialog, f"OK in {dialog.windowTitle()}")

    def _accept(self, dialog: QDialog, what: str) -> None:
        box = dialog.findChild(QDialogButtonBox)
        roles = (QDialogButtonBox.ButtonRole.AcceptRole, QDialogButtonBox.ButtonRole.YesRole)
        self.click(next(b for b in box.buttons() if box.buttonRole(b) in roles), what)


def sample(hand: Hand, opened: list[str]) -> int:
    """Go from an empty napari to the card of the sample's law, and return the clicks."""
    hand.menu("File", "Open Sample", "Morpholaw", "Simulated tracked movie with its study")
    laws = hand.opened("Laws")
    until(lambda: laws.page is not None, 60 * MINUTES)
    hand.click(laws.card_button, laws.card_button.text())
    until(lambda: bool(opened), 60 * MINUTES)
    print(f"The card of the law {laws.law.text()} was opened.\n")
    return len(hand.clicks)


def movie(hand: Hand, opened: list[str], folder: Path) -> int:
    """Go from a folder dropped on an empty napari to a law, and return the clicks except those that label cells."""
    hand.drop(folder)
    until(lambda: len(hand.viewer.layers) == 3, 60 * MINUTES)
    cells = hand.panel("Cells")
    hand.name_folder(cells.study_bar.new_button, "New...", HOME / "study")
    hand.click(cells.cutting.cut_button, "Cut crops")
    until(lambda: cells.current.crops is not None, 60 * MINUTES)
    before = len(hand.clicks)
    label(hand, cells)
    labelling = len(hand.clicks) - before
    print(
        f"{len(cells.current.crops):,} crops; {labelling} clicks and {labelling} keys labelled as many cells.\n"
    )
    way = cells.way_strip.way
    hand.choose(way.preset, "Quick look")
    print(f"{way.cost.text()}\n")
    begun = time.monotonic()
    hand.click(way.button, way.button.text())
    until(lambda: bool(opened) or not cells.current.way.running, 60 * MINUTES)
    assert opened, "the steps ended before the report"
    print(f"The report was opened after {(time.monotonic() - begun) / 60:.1f} minutes.\n")
    laws = hand.panel("Laws")
    until(lambda: laws.page is not None, 60 * MINUTES)
    print(f"{laws.sentence.text()}\n")
    return len(hand.clicks) - labelling


def label(hand: Hand, cells: Any) -> None:
    """Label cells in the gallery with a click and a key each: last images of tracks that divide, and others."""
    table, gallery, classes = cells.current.crops.cells, cells.gallery, cells.labelling.buttons.classes
    mothers = np.unique(table["parent"][table["parent"] >= 0])
    last = table["t"] == table.groupby("track_id")["t"].transform("max")
    dividing = np.flatnonzero(last & table["track_id"].isin(mothers))[: LABELS // 2]
    calm = np.flatnonzero((table["t"] == 4) & ~table["track_id"].isin(mothers))[: LABELS - len(dividing)]
    for name, chosen in (("metaphase", dividing), ("interphase", calm)):
        for cell in chosen.tolist():
            index = gallery.crop_model.index(gallery.crop_model.row_of(cell))
            gallery.scrollTo(index)
            wait(0.3)
            hand.click(
                gallery.viewport(), f"a cell, and the key of {name}", gallery.visualRect(index).center()
            )
            QTest.keyClick(gallery, str(classes.index(name) + 1))
    until(lambda: len(cells.current.overview.labels) == 2, 60)


def wait(seconds: float) -> None:
    """Process the window's events for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def until(done: Callable[[], bool], seconds: float) -> None:
    """Process the window's events until ``done()``; raise TimeoutError if that takes too long."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("the window did not get there in time")
        QApplication.processEvents()
        time.sleep(0.01)
    wait(0.3)


def main() -> None:
    """Walk through one of the tasks and print its clicks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=["sample", "movie"])
    parser.add_argument("folder", type=Path, nargs="?", help="the data set that is dropped on the viewer")
    parser.add_argument("--picture", type=Path, help="where the window's picture at the end is written")
    arguments = parser.parse_args()
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(HOME / "settings"))
    sample_data.preferences = lambda: Preferences(cache_folder=str(HOME))
    opened: list[str] = []
    QDesktopServices.openUrl = lambda url: opened.append(url.toLocalFile())  # no browser
    viewer = napari.Viewer()
    hand = Hand(viewer)
    hand.window.resize(*SIZE)
    wait(1)
    try:
        count = sample(hand, opened) if arguments.way == "sample" else movie(hand, opened, arguments.folder)
        shown = [what for what in hand.clicks if not what.startswith("a cell")]
        print("| click | |\n| --- | --- |")
        print("\n".join(f"| {number} | {what} |" for number, what in enumerate(shown, start=1)))
        print(f"\n{count} clicks.")
    finally:
        wait(1)
        if arguments.picture is not None:
            viewer.screenshot(str(arguments.picture), canvas_only=False, flash=False)
        viewer.close()


if __name__ == "__main__":
    main()
