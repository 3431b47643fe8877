"""Where a law is zero: a slice over two latents, and cells with the surface in three, added to the viewer."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.models.law import Law
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.laws.cells_and_surface import CellsAndSurface, cells_and_surface
from morpholaw.widgets.laws.latent_view import LatentView
from morpholaw.widgets.laws.saved_laws import score_of_all
from morpholaw.widgets.pictures.slice import Response
from morpholaw.widgets.pictures.slice_panel import SlicePanel
from morpholaw.widgets.study.current_study import CurrentStudy


class BoundaryTab(QWidget):
    """The boundary of the picked law.

    Parameters
    ----------
    viewer : napari.Viewer
        Where cells and surface are added.
    current : CurrentStudy
        Whose cells and encoder are used.
    runner : JobRunner
        Shows how far the cells are encoded.
    error_line : ErrorLine
        Where to complain.
    sentence : str
        What stands here while there is no law.
    """

    def __init__(
        self, viewer: Any, current: CurrentStudy, runner: JobRunner, error_line: ErrorLine, sentence: str
    ) -> None:
        super().__init__()
        self.viewer, self.current, self.runner, self.error_line = viewer, current, runner, error_line
        self.latent_view = LatentView(viewer)
        self.law: Law | None = None
        self._classes = ("", "")
        self._python = ""
        self._adding: tuple[Law, tuple[str, str]] | None = None
        self.slices = SlicePanel(viewer, current, sentence)
        self.third = narrow_combo("third axis")
        self.third.setToolTip("The latent along the third axis in the viewer; the other two are those above.")
        self.add_button = QPushButton("Add to viewer")
        self.add_button.setToolTip("Cells as points in three latents, and the surface f = 0 between them.")
        self.back_button = QPushButton("Back")
        self.back_button.setToolTip("Take the latent space away and show the other layers again.")
        self.back_button.hide()
        row = QHBoxLayout()
        row.addWidget(QLabel("depth"))
        row.addWidget(self.third, 1)
        row.addWidget(self.add_button)
        row.addWidget(self.back_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(row)
        column.addWidget(self.slices, 1)
        self.add_button.clicked.connect(self.add_to_viewer)
        self.back_button.clicked.connect(self.back)
        runner.finished.connect(self._added)
        runner.failed.connect(self._not_added)
        self.slices.x.currentIndexChanged.connect(self._fill_third)
        self.slices.y.currentIndexChanged.connect(self._fill_third)

    def show_law(
        self, law: Law, latents: int, classes: tuple[str, str], words: dict[int, str], python: str
    ) -> None:
        """Show a law of an encoder with so many latents; ``python`` is the line that reads it."""
        self.law, self._classes, self._python = law, classes, python
        used = tuple(int(name[1:]) for name in law.expression.variables())
        self.slices.show_response(Response(partial(score_of_all, law), used, latents, "f(z)", ""), words)
        self._fill_third()

    def clear(self) -> None:
        """Show no law."""
        self.law = None
        self.slices.clear()

    def _fill_third(self, *_: Any) -> None:
        response = self.slices.response
        if response is None:
            return
        before = self.third.currentData()
        taken = set(self.slices.axes)
        others = [z for z in range(response.total) if z not in response.latents]
        self.third.clear()
        for latent in (*response.latents, *others):
            if latent not in taken:
                self.third.addItem(self.slices.called(latent), latent)
        if before is not None and self.third.findData(before) >= 0:
            self.third.setCurrentIndex(self.third.findData(before))

    # ---- the viewer

    def add_to_viewer(self) -> None:
        """Encode the cells and find the surface in the live process, then add both as layers."""
        with self.error_line.catch():
            study, law, response = self.current.required(), self.law, self.slices.response
            if law is None or response is None:
                raise InputError("Pick a law first.")
            x, y = self.slices.axes
            third = self.third.currentData()
            if y is None:
                y = next((z for z in range(response.total) if z not in (x, third)), None)
            if third is None or y is None:
                raise InputError("A latent space needs three latents; this encoder has fewer.")
            self._adding = (law, self._classes)
            self.runner.show()
            self.runner.run(
                "latent_space", self.current.live.call, cells_and_surface,
                str(study.path), law, (third, y, x), self.slices.base.copy(), python=self._python,
            )  # fmt: skip
            self.add_button.setEnabled(not self.runner.running)

    def _added(self, result: dict[str, Any]) -> None:
        self.add_button.setEnabled(True)
        space = result.get("result")
        if not isinstance(space, CellsAndSurface) or self._adding is None or result.get("complete") is False:
            return
        (law, classes), self._adding = self._adding, None
        names = [self.slices.names.get(latent, f"z{latent}") for latent in space.axes]
        self.latent_view.show(space, names, classes, law.text())
        self.back_button.show()
        if not len(space.faces):
            show_info("f = 0 does not pass between -3 and 3 here; the cells alone were added.")

    def _not_added(self, _: str) -> None:
        self.add_button.setEnabled(True)

    def back(self) -> None:
        """Take the latent space away."""
        self.latent_view.back()
        self.back_button.hide()

    def layer_removed(self) -> None:
        """Offer to go back only while there is something to go back to."""
        if not self.latent_view.shown:
            self.back_button.setVisible(bool(self.latent_view.hides))
