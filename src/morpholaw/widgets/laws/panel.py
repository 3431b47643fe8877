"""The Laws panel: search for laws, choose one, and see what it says (paper, 5.3 and 6.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QWidget,
)

from morpholaw import escape
from morpholaw.display import LOSSES, percent
from morpholaw.errors import MorpholawError
from morpholaw.models.law import Law
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.forms.section import Section
from morpholaw.widgets.jobs.python_code import step_code
from morpholaw.widgets.laws.boundary_tab import BoundaryTab
from morpholaw.widgets.laws.formula import FormulaLabel
from morpholaw.widgets.laws.law_figures import components_figure, front_figure
from morpholaw.widgets.laws.law_search import LawSearch
from morpholaw.widgets.laws.law_table import LawTable
from morpholaw.widgets.laws.vetoes_tab import VetoesTab
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.study_widget import StudyWidget

COPIES = {"latex": "LaTeX", "python": "Python", "text": "text"}
"""Forms that a law is copied in, and what they are called."""
LOSS_WORDS = {"hinge": "from the labels (hinge)", "mse": "from scheme 3 (MSE)"}
NO_LAW = "There is no law yet. Train scheme 3, then search for laws above."
NO_STUDY = "No study is open."


class LawsWidget(StudyWidget):
    """Searches for laws, lists them, and shows the formula and four views of the chosen one.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.found: ClassifierRecord | None = None
        self.law: Law | None = None
        self.place = 0
        # always visible, so that a figure that just fits does not make it come and go
        self.scroll_area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._build_search()
        self._build_table()
        self._build_views()
        self.body.addStretch(1)
        self.listen(self.current.laws_changed, self.reload)
        self.listen(self.current.names_changed, self._renamed)
        self.listen(self.current.labels_changed, self._labels_changed)
        self.listen(self.viewer.events.theme, self._rethemed)
        self.listen(self.viewer.layers.events.removed, self._layer_removed)
        self._show_study()

    def _build_search(self) -> None:
        self.search = LawSearch(self.viewer, self.current, self.error_line)
        self.search.found.connect(self._found)
        self.search_box = Section("Search", "Search for new laws, and its settings.")
        self.search_box.add_widget(self.search)
        self.body.addWidget(self.search_box)
        self.body.addWidget(self.search.runner)
        self.search.runner.hide()

    def _build_table(self) -> None:
        self.loss = narrow_combo("laws found")
        self.loss.setToolTip("Choose laws by the loss that they were searched with.")
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
        self.copy_buttons = QButtonGroup(self)
        self.copy_buttons.buttonClicked.connect(self._copy_clicked)
        for name, words in COPIES.items():
            button = QPushButton(f"Copy {words}")
            button.setToolTip(f"Copy the law as {words} to the clipboard.")
            button.setObjectName(f"copy {name}")
            self.copy_buttons.addButton(button)
            buttons.addWidget(button)
        buttons.addStretch(1)
        for part in (self.loss_row, self.table, self.nothing, self.formula, self.copy_row):
            self.body.addWidget(part)

    def _build_views(self) -> None:
        self.front = FigurePanel(self.viewer)
        self.components = FigurePanel(self.viewer)
        self.boundary = BoundaryTab(self.viewer, self.current, self.search.runner, self.error_line, NO_LAW)
        self.vetoes = VetoesTab()
        self.tabs = QTabWidget()
        for page, title in (
            (self.front, "Front"),
            (self.components, "Components"),
            (self.boundary, "Boundary"),
            (self.vetoes, "Vetoes"),
        ):
            self.tabs.addTab(page, title)
        self.body.addWidget(self.tabs)

    def _show_study(self) -> None:
        super()._show_study()
        if not hasattr(self, "tabs"):  # the panel is still being built
            return
        self.boundary.clear()
        self.search.show_study()
        self.nothing.setText(NO_LAW if self.current.study else NO_STUDY)
        self.reload()
        self.search_box.expand(self.found is None)

    def reload(self) -> None:
        """Read the laws of the study again."""
        study, before = self.current.study, self.loss.currentData()
        trained = classifiers.names(study) if study is not None else []
        losses = [loss for loss in LOSSES if name_of(4, loss) in trained]
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
            self.search_box.expand(False)
            best = max(self.found.evaluation.accuracy)
            show_info(
                f"{len(self.found.laws)} laws were found; the best is right for {percent(best)} of the test cells."
            )

    def _loss_chosen(self, *_: Any) -> None:
        self.found = None
        if self.loss.currentData() and self.current.study is not None:
            with self.error_line.catch():
                self.found = classifiers.record(self.current.study, name_of(4, self.loss.currentData()))
        self.nothing.setText(NO_LAW if self.current.study else NO_STUDY)
        if self.found is not None and not self.found.two_classes:
            self.nothing.setText(_class_laws(self.found))
            self.found = None
        has_laws = self.found is not None
        self.nothing.setVisible(not has_laws)
        for part in (self.loss_row, self.table, self.formula, self.copy_row, self.tabs):
            part.setVisible(has_laws)
        if not has_laws:
            self.law = None
            self.formula.clear()
            self.boundary.clear()
        self.table.fill(self.found)

    @property
    def words(self) -> dict[int, str]:
        """Names of latents in the study."""
        study = self.current.study
        try:
            return study.latent_names if study is not None else {}
        except MorpholawError:
            return {}

    def pick(self, place: int) -> None:
        """Show the law at a place of the study's list."""
        if self.found is None:
            return
        self.place, self.law = place, self.found.laws[place]
        self._show_law()

    def _show_law(self) -> None:
        found, law, study = self.found, self.law, self.current.study
        if found is None or law is None or study is None:
            return
        from morpholaw.interpretation.components import drawable_parts
        from morpholaw.interpretation.oriented_law import law_in_words

        place, names = self.place, named(law.names, self.words)
        self.formula.show_law(*law_in_words(law, names))
        self.front.draw(lambda figsize, theme: front_figure(found, place, figsize, theme))
        if drawable_parts(law):
            self.components.draw(lambda figsize, theme: components_figure(law, names, figsize, theme))
        else:
            self.components.say("No part of this law depends on one or two latents only.")
        path, loss = study.path, self.loss.currentData()
        python = step_code(path, "laws", {"loss": loss}) + f"law = laws[{place}]\n"
        classes = found.pair
        latents = 0 if found.encoder is None else found.encoder.latents
        self.boundary.show_law(law, latents, classes, self.words, python)
        self.vetoes.show_law(law, classes, names)

    def _renamed(self) -> None:
        self._show_law()

    def _labels_changed(self) -> None:
        self.boundary.labels_changed()

    def _layer_removed(self, *_: Any) -> None:
        self.boundary.layer_removed()

    def _rethemed(self, *_: Any) -> None:
        QTimer.singleShot(0, self._show_law)

    def _copy_clicked(self, button: QPushButton) -> None:
        self.copy(button.objectName().removeprefix("copy "))

    def copy(self, kind: str) -> None:
        """Copy the law to the clipboard as "latex", "python" or "text"."""
        law, found = self.law, self.found
        if law is None or found is None:
            return
        if kind == "latex":
            from morpholaw.interpretation.oriented_law import law_in_words

            law_of_words, names = law_in_words(law, named(law.names, self.words))
            text = "f = " + law_of_words.latex(names)
        else:
            text = law.to_python("f", found.pair) if kind == "python" else law.text()
        clipboard = QGuiApplication.clipboard()
        assert clipboard is not None  # there is one while the application runs
        clipboard.setText(text)
        show_info("The law is on the clipboard.")


def named(names: Sequence[str], words: dict[int, str]) -> dict[str, str]:
    """Return words for the latents of a law: {"z3": "size"} of ("z3", "z17") and {3: "size"}."""
    return {name: words[int(name[1:])] for name in names if int(name[1:]) in words}


def _class_laws(record: ClassifierRecord) -> str:
    """Return the laws of more than two classes as rich text, one per class."""
    lines = "<br>".join(
        f"<b>{escape.html(name)}</b>: f = {escape.html(law.rounded().text())}"
        for name, law in record.class_laws.laws.items()
    )
    return (
        f"<qt>One law for each of {len(record.classes)} classes; a cell is of the class whose law is largest. The "
        f"views of this panel are for laws of two classes.<br><br>{lines}</qt>"
    )
