"""The Perturb panel: perturbations that change the predicted class of a cell (paper, 5.4 and 6.5)."""

from __future__ import annotations

from typing import Any

from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.forms.tabs_and_sections import PanelTabs, add_tab
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.perturb.selected_cells import CellPanel
from morpholaw.widgets.perturb.study_curve import AttackPanel
from morpholaw.widgets.perturb.surroundings import SurroundingsPanel
from morpholaw.widgets.study.study_widget import StudyWidget


class PerturbWidget(StudyWidget):
    """Panel that attacks selected cells while a slider moves, attacks all held-out cells, and changes surroundings.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    choice : AttackChoice
        The model, space and direction, for all tabs.
    cells : CellPanel
        Tab of the selected cells.
    attack : AttackPanel
        Tab of the whole study.
    surroundings : SurroundingsPanel
        Tab of the held-out cells in other surroundings.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.choice = AttackChoice()
        self.cells = CellPanel(self.viewer, self.current, self.error_line, self.choice)
        self.attack = AttackPanel(self.viewer, self.current, self.error_line, self.choice)
        self.surroundings = SurroundingsPanel(self.viewer, self.current, self.error_line, self.choice)
        self.tabs = PanelTabs(self.scroll_area)
        for page, title, tip in (
            (self.cells, "Selected cells", "See what an attack changes in the selected cells."),
            (self.attack, "Whole study", "Measure the accuracy on all held-out cells under attack."),
            (self.surroundings, "Surroundings", "Test whether a classifier uses what is around a cell."),
        ):
            add_tab(self.tabs, page, title, tip)
        self.body.addWidget(self.choice)
        self.body.addWidget(self.tabs)
        self.choice.space_changed.connect(self.cells.begin_space)
        self.choice.changed.connect(self.cells.prepare)
        self.listen(self.current.selection_changed, self._selection_changed)
        self.listen(self.current.classifiers_changed, self._show_classifiers)
        self.listen(self.current.laws_changed, self._show_classifiers)
        self.listen(self.current.encoder_changed, self._show_classifiers)
        self._show_study()

    def _show_study(self) -> None:
        super()._show_study()
        self._show_classifiers()

    def _show_classifiers(self) -> None:
        study = self.current.study
        damaged: list[str] = []
        self.choice.show_classifiers([] if study is None else readable_records(study, damaged.append))
        self.attack.clear()
        self.surroundings.clear()
        if damaged:
            self.error_line.say(damaged[0])

    def _selection_changed(self, _: list[int]) -> None:
        self.cells.prepare()
