"""The Laws panel: search for expressions, pick one, and see what it says (paper, 5.3 and 6.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from morpholaw.errors import InputError
from morpholaw.models.law import Law
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.formula import FormulaLabel
from morpholaw.widgets.laws.law_figures import components_figure, drawable_parts, front_figure
from morpholaw.widgets.laws.law_layers import CellsAndSurface, LatentView, cells_and_surface
from morpholaw.widgets.laws.law_search import LawSearch
from morpholaw.widgets.laws.law_table import LawTable
from morpholaw.widgets.laws.saved_laws import SavedLaws, as_python, found_losses, saved_laws
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.pictures.slice_panel import Response, SlicePanel, named
from morpholaw.widgets.study.study_widget import StudyWidget

LOSS_WORDS = {"hinge": "from the labels (hinge)", "mse": "from scheme 3 (MSE)"}
NO_LAW = "There is no law yet. Train scheme 3, then search for laws above."
NO_STUDY = "No study is open."


class LawsWidget(StudyWidget):
    """Search, table, formula, and four views of the picked law.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.found: SavedLaws | None = None
        self.law: Law | None = None
        self.place = 0
        self.latent_view = LatentView(self.viewer)
        self._veto_call = LatestCall(self)
        self._veto_call.returned.connect(self._show_vetoes)
        self._veto_call.failed.connect(lambda sentence: self.vetoes.setText(sentence))
        # Always there, so that a figure that just fits does not make it come and go.
        self.scroll_area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._build_search()
        self._build_table()
        self._build_views()
        self.body.addStretch(1)
        self.listen(self.current.laws_changed, self.reload)
        self.listen(self.current.names_changed, self._renamed)
        self.listen(self.viewer.events.theme, self._rethemed)
        self.listen(self.viewer.layers.events.removed, self._layer_removed)
        self._show_study()

    def _build_search(self) -> None:
        self.search = LawSearch(self.viewer, self.current, self.error_line)
        self.search.found.connect(self._found)
        self.search_box = QCollapsible("Search")
        self.search_box.setDuration(0)
        self.search_box.addWidget(self.search)
        self.body.addWidget(self.search_box)
        self.body.addWidget(self.search.runner)
        self.search.runner.hide()

    def _build_table(self) -> None:
        self.loss = narrow_combo("laws found")
        self.loss.currentIndexChanged.connect(self._loss_chosen)
        row = QHBoxLayout()
        row.addWidget(QLabel("Laws found"))
        row.addWidget(self.loss, 1)
        self.loss_row = QWidget()
        self.loss_row.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self.table = LawTable()
        self.table.picked.connect(self.pick)
        self.nothing = QLabel(NO_LAW)
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.formula = FormulaLabel()
        self.copy_row = QWidget()
        buttons = QHBoxLayout(self.copy_row)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.addWidget(QLabel("Copy as"))
        for name, words in (("latex", "LaTeX"), ("python", "Python"), ("text", "text")):
            button = QPushButton(words)
            button.setObjectName(f"copy {name}")
            button.clicked.connect(lambda _=False, name=name: self.copy(name))
            buttons.addWidget(button)
        buttons.addStretch(1)
        for part in (self.loss_row, self.table, self.nothing, self.formula, self.copy_row):
            self.body.addWidget(part)

    def _build_views(self) -> None:
        self.front = FigurePanel(self.viewer)
        self.components = FigurePanel(self.viewer)
        self.slices = SlicePanel(self.viewer, NO_LAW)
        self.vetoes = QLabel()
        self.vetoes.setWordWrap(True)
        self.vetoes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.vetoes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.vetoes.setMargin(6)
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
        boundary = QWidget()
        column = QVBoxLayout(boundary)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(row)
        column.addWidget(self.slices, 1)
        self.tabs = QTabWidget()
        for page, title in (
            (self.front, "Front"),
            (self.components, "Components"),
            (boundary, "Boundary"),
            (self.vetoes, "Vetoes"),
        ):
            self.tabs.addTab(page, title)
        self.body.addWidget(self.tabs)
        self.add_button.clicked.connect(self.add_to_viewer)
        self.back_button.clicked.connect(self.back)
        self.search.runner.finished.connect(self._added)
        self.search.runner.failed.connect(lambda _: self.add_button.setEnabled(True))
        self.slices.x.currentIndexChanged.connect(self._fill_third)
        self.slices.y.currentIndexChanged.connect(self._fill_third)
        self.tabs.currentChanged.connect(self._tab_chosen)

    # ---- which laws

    def _show_study(self) -> None:
        super()._show_study()
        if not hasattr(self, "tabs"):  # told of a study while the panel is being built
            return
        self.slices.set_study(self.current.study)
        self.search.show_study()
        self.nothing.setText(NO_LAW if self.current.study else NO_STUDY)
        self.reload()
        (self.search_box.collapse if self.found else self.search_box.expand)(animate=False)

    def reload(self) -> None:
        """Read the study's laws anew."""
        study, before = self.current.study, self.loss.currentData()
        losses = found_losses(study) if study is not None else []
        self.loss.blockSignals(True)
        self.loss.clear()
        for loss in losses:
            self.loss.addItem(LOSS_WORDS[loss], loss)
        self.loss.setCurrentIndex(max(0, self.loss.findData(before)))
        self.loss.blockSignals(False)
        self._loss_chosen()

    def _found(self, loss: str) -> None:
        self.loss.setCurrentIndex(max(0, self.loss.findData(loss)))
        if self.found is not None:
            self.search_box.collapse(animate=False)
            best = float(self.found.accuracy.max())
            show_info(
                f"{len(self.found.laws)} laws were found; the best is right on {best:.1%} of the test cells."
            )

    def _loss_chosen(self, *_: Any) -> None:
        self.found = None
        if self.loss.currentData() and self.current.study is not None:
            with self.error_line.catch():
                self.found = saved_laws(self.current.study, self.loss.currentData())
        there = self.found is not None
        self.nothing.setVisible(not there)
        for part in (self.loss_row, self.table, self.formula, self.copy_row, self.tabs):
            part.setVisible(there)
        if not there:
            self.law = None
            self.formula.clear()
            self.slices.clear()
        self.table.fill(self.found)

    @property
    def words(self) -> dict[int, str]:
        """Names given to latents."""
        study = self.current.study
        try:
            return study.latent_names if study is not None else {}
        except InputError:
            return {}

    def pick(self, place: int) -> None:
        """Show the law at a place in the study's list."""
        if self.found is None:
            return
        self.place, self.law = place, self.found.laws[place]
        self._show_law()

    def _show_law(self) -> None:
        found, law = self.found, self.law
        if found is None or law is None:
            return
        place, names = self.place, named(law.names, self.words)
        self.formula.show_law(law, names)
        self.front.draw(lambda figsize, theme: front_figure(found, place, figsize, theme))
        if drawable_parts(law):
            self.components.draw(lambda figsize, theme: components_figure(law, names, figsize, theme))
        else:
            self.components.say("No part of this law depends on one or two latents only.")
        columns = list(law.latents)
        used = tuple(int(name[1:]) for name in law.expression.variables())
        self.slices.show_response(
            Response(lambda z: law.score(z[:, columns]), used, found.latents, "f(z)", ""), self.words
        )
        self._fill_third()
        self._tab_chosen()

    def _renamed(self) -> None:
        self._show_law()

    def _rethemed(self, *_: Any) -> None:
        QTimer.singleShot(0, self._show_law)

    # ---- copying

    def copy(self, kind: str) -> None:
        """Put the law on the clipboard as "latex", "python" or "text"."""
        law, found = self.law, self.found
        if law is None or found is None:
            return
        if kind == "latex":
            text = "f = " + law.latex(named(law.names, self.words))
        else:
            text = as_python(law, found.classes) if kind == "python" else law.text()
        QGuiApplication.clipboard().setText(text)
        show_info("The law is on the clipboard.")

    # ---- vetoes

    def _tab_chosen(self, *_: Any) -> None:
        if self.tabs.currentWidget() is not self.vetoes or self.law is None or self.found is None:
            return
        self.vetoes.setText("Looking...")
        words = named(self.law.names, self.words)
        self._veto_call.start(_veto_sentences, self.law, self.found.classes, words)

    def _show_vetoes(self, sentences: list[str]) -> None:
        if not sentences:
            self.vetoes.setText(
                "No latent, and no two together, can exclude a class whatever the others are."
            )
            return
        self.vetoes.setText("\n\n".join(f"•  {sentence}" for sentence in sentences))

    # ---- the viewer

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
                word = self.words.get(latent)
                self.third.addItem(f"{word} (z{latent})" if word else f"z{latent}", latent)
        if before is not None and self.third.findData(before) >= 0:
            self.third.setCurrentIndex(self.third.findData(before))

    def add_to_viewer(self) -> None:
        """Encode the cells and find the surface in a thread, then add both as layers."""
        with self.error_line.catch():
            study, law, response = self.current.required(), self.law, self.slices.response
            if law is None or response is None or self.found is None:
                raise InputError("Pick a law first.")
            x, y = self.slices.axes
            third = self.third.currentData()
            if y is None:
                y = next(z for z in range(response.total) if z not in (x, third))
            if third is None:
                raise InputError("A latent space needs three latents; this encoder has fewer.")
            self.add_button.setEnabled(False)
            self._adding = (law, self.found.classes, dict(self.words))
            base = self.slices.base.copy()
            python = f"law = ml.Study({str(study.path)!r}).laws({self.loss.currentData()!r})[{self.place}]"
            self.search.runner.show()
            self.search.runner.run(
                "latent_space", cells_and_surface, study, law, (third, y, x), base, python=python
            )
            if not self.search.runner.running:
                self.add_button.setEnabled(True)

    _adding: tuple[Law, tuple[str, str], dict[int, str]] | None = None

    def _added(self, result: dict[str, Any]) -> None:
        self.add_button.setEnabled(True)
        space = result.get("result")
        if not isinstance(space, CellsAndSurface) or self._adding is None:
            return
        (law, classes, words), self._adding = self._adding, None
        names = [words.get(latent, f"z{latent}") for latent in space.axes]
        self.latent_view.show(space, names, classes, law.text())
        self.back_button.show()
        if not len(space.faces):
            show_info("f = 0 does not pass between -3 and 3 here; the cells alone were added.")

    def back(self) -> None:
        """Take the latent space away."""
        self.latent_view.back()
        self.back_button.hide()

    def _layer_removed(self, *_: Any) -> None:
        if not self.latent_view.shown:
            self.back_button.setVisible(bool(self.latent_view.hides))


def _veto_sentences(law: Law, classes: tuple[str, str], words: dict[str, str]) -> list[str]:
    """Sentences on the latents that exclude a class by themselves or in pairs."""
    from morpholaw.probes.veto import find_vetoes, in_words

    with np.errstate(all="ignore"):
        vetoes = find_vetoes(law)
    return [in_words(veto, *classes, names=words) for veto in vetoes]
