"""The Boundary tab: where a law changes the class, over two inputs or as a surface among the cells in 3D."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.display import ANOTHER
from morpholaw.errors import InputError
from morpholaw.figures.palette import class_colours, colours_on
from morpholaw.models.features import ModelColumns
from morpholaw.models.law import Law
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.laws.cells_and_surface import CellsAndSurface, cells_and_surface
from morpholaw.widgets.laws.input_boundary import InputBoundary
from morpholaw.widgets.laws.latent_view import LatentSpaceLabels, LatentView
from morpholaw.widgets.laws.law_page import Boundary, LawPlace
from morpholaw.widgets.pictures.slice import Response
from morpholaw.widgets.pictures.slice_panel import SlicePanel
from morpholaw.widgets.study.current_study import CurrentStudy

_LEGEND = (
    "Red, f < 0: predicted as {negative}. Blue, f > 0: predicted as {positive}. "
    "The dashed line is the boundary f = 0."
)
_PAIR_LEGEND = (
    "Red, f < 0: {negative} rather than {positive}. Blue, f > 0: {positive} rather than {negative}. The dashed line is "
    "the boundary f = 0. A third class may be likelier than both."
)
_REGIONS = "The colour shows the class whose law is the largest."
_DOTS = "Dots are labelled cells: {classes}. Their other inputs may differ from those of the plot."


@dataclass(frozen=True)
class LatentLaw:
    """A law over latents, as the tab shows it.

    Attributes
    ----------
    law : Law
        The law; it predicts the second of ``classes`` where it is 0 or more.
    latents : int
        Number of latents of the encoder.
    classes : (str, str)
        The classes predicted for f < 0 and for f >= 0.
    words : dict
        Names of latents with their signs, by number.
    python : str
        Lines of Python that read the law.
    of_several : bool
        Whether there are more than these two classes.
    """

    law: Law
    latents: int
    classes: tuple[str, str]
    words: dict[int, str]
    python: str
    of_several: bool = False


class BoundaryTab(QWidget):
    """The boundary of the chosen law.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer to which cells and surface are added.
    current : CurrentStudy
        The study whose cells and encoder are used.
    runner : JobRunner
        Shows the progress of encoding cells.
    error_line : ErrorLine
        Where errors are shown.
    sentence : str
        Text shown while there is no law.
    """

    def __init__(
        self, viewer: Any, current: CurrentStudy, runner: JobRunner, error_line: ErrorLine, sentence: str
    ) -> None:
        super().__init__()
        self.viewer, self.current, self.runner, self.error_line = viewer, current, runner, error_line
        self.latent_view = LatentView(viewer)
        self.latent_law: LatentLaw | None = None
        self._classes: tuple[str, ...] = ()
        self._of_several = False
        self._adding: LatentLaw | None = None
        self.slices = SlicePanel(viewer, current, sentence)
        self.third = narrow_combo("third axis")
        self.third.setToolTip(
            "Choose the latent of the third axis in 3D. The other two axes are those of the plot below."
        )
        self.add_button = QPushButton("Show in 3D")
        self.add_button.setToolTip(
            "Show the cells in the viewer as points over three latents, with the surface f = 0."
        )
        self.back_button = QPushButton("Close 3D view")
        self.back_button.setToolTip("Remove the points and the surface, and show the other layers again.")
        self.back_button.hide()
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        row = QHBoxLayout()
        row.addWidget(QLabel("Depth"))
        row.addWidget(self.third, 1)
        row.addWidget(self.add_button)
        row.addWidget(self.back_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        self.depth_row = QWidget()
        self.depth_row.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self.inputs = InputBoundary(viewer, current)
        self.inputs.hide()
        column.addWidget(self.depth_row)
        column.addWidget(self.slices, 1)
        column.addWidget(self.inputs, 1)
        column.addWidget(self.legend)
        self.add_button.clicked.connect(self.add_to_viewer)
        self.back_button.clicked.connect(self.back)
        self.inputs.drawn.connect(self._axes_of_map)
        runner.finished.connect(self._added)
        runner.failed.connect(self._not_added)
        self.slices.x_box.currentIndexChanged.connect(self._fill_third)
        self.slices.y_box.currentIndexChanged.connect(self._fill_third)

    def show_law(self, shown: LatentLaw) -> None:
        """Show where a law over latents changes the class."""
        self._classes, self._of_several = shown.classes, shown.of_several
        self._show_parts(slices=True, depth=True)
        self._respond(shown)
        self.legend.setText(self._legend())

    def show_regions(self, place: LawPlace, classes: tuple[str, ...], lead: LatentLaw) -> None:
        """Show which class is predicted over two latents; in 3D, the surface where the lead of one class is 0."""
        self._classes = classes
        self._show_parts(slices=False, depth=True)
        self._respond(lead)
        self.inputs.show_law(place, classes, self._colours())
        self.legend.setText(self._legend())

    def _respond(self, shown: LatentLaw) -> None:
        self.latent_law, law = shown, shown.law
        used = tuple(int(name[1:]) for name in law.expression.variables())
        columns = ModelColumns.of_latents(shown.latents)
        response = Response(law.score, used, columns, "f(z)", sides=shown.classes, colours=self._colours())
        self.slices.show_response(response, shown.words)
        self._fill_third()

    def show_inputs(self, place: LawPlace, classes: tuple[str, ...]) -> None:
        """Show the law of two classes, or the laws of more classes, over two inputs in units."""
        self.latent_law, self._classes = None, classes
        self._of_several = place.class_name is not None
        self._show_parts(slices=False, depth=False)
        self.slices.clear()
        self.inputs.show_law(place, classes, self._colours())
        self.legend.setText(self._legend())

    def _show_parts(self, slices: bool, depth: bool) -> None:
        self.depth_row.setVisible(depth)
        self.slices.setVisible(slices)
        self.inputs.setVisible(not slices)
        if slices:
            self.inputs.clear()

    def clear(self) -> None:
        """Remove the law."""
        self.latent_law = None
        self._show_parts(slices=True, depth=True)
        self.legend.clear()
        self.slices.clear()

    def _axes_of_map(self, shown: Boundary) -> None:
        """Use the axes of a map of classes, and its values of the other latents, for the 3D view."""
        if self.latent_law is None:
            return
        places = {name: int(name[1:]) for name in (*shown.computed.names, *shown.computed.held)}
        self.slices.base[:] = 0
        for name, value in shown.computed.held.items():
            self.slices.base[places[name]] = value
        for box, name in zip((self.slices.x_box, self.slices.y_box), shown.computed.names, strict=False):
            blocked = box.blockSignals(True)
            box.setCurrentIndex(box.findData(places[name]))
            box.blockSignals(blocked)
        self._fill_third()

    def _fill_third(self, *_: Any) -> None:
        response = self.slices.response
        if response is None:
            return
        before = self.third.currentData()
        used = set(self.slices.axes)
        others = [z for z in range(response.total) if z not in response.inputs]
        self.third.clear()
        for latent in (*response.inputs, *others):
            if latent not in used:
                self.third.addItem(self.slices.called(latent), latent)
        if before is not None and self.third.findData(before) >= 0:
            self.third.setCurrentIndex(self.third.findData(before))

    def _colours(self) -> dict[str, str]:
        """Return the colours of all classes of the study."""
        study = self.current.study
        classes = [name for name in self._classes if name != ANOTHER]
        names = list(dict.fromkeys([*(study.classes if study is not None else ()), *classes]))
        return class_colours(names) if study is None else study.class_colours(names)

    def _legend(self) -> str:
        """Return an explanation of the colours of the plot, as HTML."""
        colours = self._colours()
        named = [
            f'<span style="color: {colour}">\u25cf</span> {escape(name)}'
            for name, colour in colours_on(self.current.background, tuple(colours), colours).items()
            if self.slices.isVisibleTo(self) or name in self._classes
        ]
        text = self._sides_text() + " " + _DOTS.format(classes=", ".join(named))
        return text.replace("f < 0", "f &lt; 0").replace("f > 0", "f &gt; 0")

    def _sides_text(self) -> str:
        if len(self._classes) > 2:
            return _REGIONS
        negative, positive = (escape(name) for name in self._classes)
        text = _PAIR_LEGEND if self._of_several else _LEGEND
        return text.format(negative=negative, positive=positive)

    def labels_changed(self) -> None:
        """Draw the cells again with their current labels."""
        response = self.slices.response
        if response is not None:
            self.slices.response = replace(response, colours=self._colours())
            self.slices.ask()

    def add_to_viewer(self) -> None:
        """Encode the cells and find the surface f = 0 in the live process, then add both as layers."""
        with self.error_line.catch():
            study, shown, response = self.current.required(), self.latent_law, self.slices.response
            if shown is None or response is None:
                raise InputError("Choose a law in the table first.")
            x, y = self.slices.axes
            third = self.third.currentData()
            if y is None:
                y = next((z for z in range(response.total) if z not in (x, third)), None)
            if third is None or y is None:
                raise InputError("The 3D view needs three latents, but this encoder has fewer.")
            self._adding = shown
            self.runner.show()
            self.runner.run(
                "show in 3D", self.current.live.call, cells_and_surface,
                str(study.path), shown.law, (third, y, x), self.slices.base.copy(), python=shown.python,
            )  # fmt: skip
            self.add_button.setEnabled(not self.runner.running)

    def _added(self, result: dict[str, Any]) -> None:
        self.add_button.setEnabled(True)
        space = result.get("result")
        if not isinstance(space, CellsAndSurface) or self._adding is None or result.get("complete") is False:
            return
        shown, self._adding = self._adding, None
        names = [self.slices.names.get(latent, f"z{latent}") for latent in space.axes]
        labels = LatentSpaceLabels(names, shown.classes, self._colours(), shown.law.text())
        self.latent_view.show(space, labels)
        self.back_button.show()
        if not len(space.faces):
            show_info("Only the cells were added, because there is no surface f = 0 between −3 and 3.")

    def _not_added(self, _: str) -> None:
        self.add_button.setEnabled(True)

    def back(self) -> None:
        """Close the 3D view and show the other layers again."""
        self.latent_view.back()
        self.back_button.hide()

    def layer_removed(self) -> None:
        """Hide the button that closes the 3D view if all its layers are removed and no other layer is hidden."""
        if not self.latent_view.shown:
            self.back_button.setVisible(bool(self.latent_view.hides))
