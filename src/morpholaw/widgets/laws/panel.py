"""The Laws panel: search for laws, choose one, and see what it means (paper, 5.3 and 6.4)."""

from __future__ import annotations

from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QLabel, QTabWidget, QVBoxLayout, QWidget

from morpholaw.display import counted, percent_interval
from morpholaw.errors import MorpholawError
from morpholaw.models.law import Law
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.guessing import imbalance
from morpholaw.store.law_stability import stability_sentence
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.forms.tabs_and_sections import Section, add_tab
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.against_row import AgainstRow
from morpholaw.widgets.laws.boundary_tab import BoundaryTab, LatentLaw
from morpholaw.widgets.laws.cell_tab import CellTab
from morpholaw.widgets.laws.copy_row import CopyRow, law_text, named
from morpholaw.widgets.laws.entry_text import law_statement, python_of_law
from morpholaw.widgets.laws.formula import FormulaLabel
from morpholaw.widgets.laws.law_card_button import LawCardButton
from morpholaw.widgets.laws.law_entries import LawEntry, law_entries, law_sets
from morpholaw.widgets.laws.law_figures import components_figure, front_figure
from morpholaw.widgets.laws.law_page import LawPage, LawPlace, law_page
from morpholaw.widgets.laws.law_search import LawSearch
from morpholaw.widgets.laws.law_steps import LawSteps
from morpholaw.widgets.laws.law_table import LawTable
from morpholaw.widgets.laws.sheet_tab import SheetTab
from morpholaw.widgets.laws.vetoes_tab import VetoesTab
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.study_widget import StudyWidget

NO_LAW = "There is no law yet. Search for laws above: over shapes right away, over latents once scheme 3 is trained."
NO_LABELS = (
    "There is no law yet. A search needs labelled cells of two classes; label some in the Cells panel."
)
CHOOSE = "Choose a set of laws, by the loss of its search or by its name."
FRONT_OF_CLASSES = (
    "Laws of more than two classes are fitted to each other, so there is no front for one of them."
)


class LawsWidget(StudyWidget):
    """Panel that searches for laws, lists them, and shows the chosen one as a sentence, a formula and figures.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.record: ClassifierRecord | None = None
        self.entries: list[LawEntry] = []
        self.entry: LawEntry | None = None
        self.page: LawPage | None = None
        self.page_call = LatestCall(self)
        self.page_call.returned.connect(self._show_words)
        self.page_call.failed.connect(self.error_line.say)
        # always visible, because it would otherwise come and go with a figure that just fits
        self.scroll_area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._build_search()
        self._build_table()
        self._build_views()
        self.body.addStretch(1)
        self.listen(self.current.laws_changed, self.reload)
        self.listen(self.current.names_changed, self._renamed)
        self.listen(self.current.labels_changed, self._labels_changed)
        self.listen(self.current.selection_changed, self._selection_changed)
        self.listen(self.viewer.events.theme, self._rethemed)
        self.listen(self.viewer.layers.events.removed, self._layer_removed)
        self._show_study()

    def _build_search(self) -> None:
        self.search = LawSearch(self.viewer, self.current, self.error_line)
        self.search.searched.connect(self._searched)
        self.search_box = Section("Search", "Search for new laws, and edit the settings of the search.")
        self.search_box.add_widget(self.search)
        self.body.addWidget(self.search_box)
        self.keep_in_view(self.search.runner)

    def _build_table(self) -> None:
        self.loss = narrow_combo("laws found")
        self.loss.currentIndexChanged.connect(self._loss_chosen)
        row = QVBoxLayout()  # names of laws are long
        row.addWidget(QLabel("Laws found"))
        row.addWidget(self.loss)
        self.loss_row = QWidget()
        self.loss_row.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self.table = LawTable()
        self.table.picked.connect(self.pick)
        self.nothing = QLabel(NO_LAW)
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.against = AgainstRow()
        self.against.chosen.connect(self._show_entry)
        self.formula = FormulaLabel()
        self.copy_row = CopyRow()
        self.copy_row.wanted.connect(self.copy)
        self.steps = LawSteps(self.current, self.search.runner, self.error_line)
        self.card_button = LawCardButton(self.current, self.error_line)
        shown = (
            self.loss_row,
            self.table,
            self.nothing,
            self.against,
            self.sentence,
            self.formula,
            self.copy_row,
            self.steps,
            self.card_button,
        )
        for part in shown:
            self.body.addWidget(part)

    def _build_views(self) -> None:
        self.front = FigurePanel(self.viewer)
        self.components = FigurePanel(self.viewer)
        self.boundary = BoundaryTab(self.viewer, self.current, self.search.runner, self.error_line, NO_LAW)
        self.vetoes = VetoesTab(self.current)
        self.cell = CellTab(self.current)
        self.sheet = SheetTab(self.viewer, self.current)
        self.tabs = QTabWidget()
        for page, title, tip in (
            (self.front, "Front", "Compare the accuracy and the complexity of the laws found."),
            (self.components, "Components", "See what each term of the law contributes."),
            (self.boundary, "Boundary", "See where the law changes sign among the labelled cells."),
            (self.vetoes, "Vetoes", "Read which values of one input alone exclude a class."),
            (self.cell, "Cell", "Read why the selected cell gets its class."),
            (self.sheet, "Sheet", "Look at typical cells of each class, and at cells near the boundary."),
        ):
            add_tab(self.tabs, page, title, tip)
        self.body.addWidget(self.tabs)

    def _show_study(self) -> None:
        super()._show_study()
        if not hasattr(self, "tabs"):  # the panel is still being built
            return
        self.boundary.clear()
        self.search.show_study()
        self.search.form.forget("classes", "latents")
        self.reload()
        self.search_box.expand(self.record is None)

    def reload(self) -> None:
        """Read the laws of the study again."""
        before = self.loss.currentData()
        self.loss.blockSignals(True)
        self.loss.clear()
        for name, words in law_sets(self.current.study).items():
            self.loss.addItem(words, name)
        self.loss.setCurrentIndex(max(0, self.loss.findData(before)))
        self.loss.blockSignals(False)
        self._loss_chosen()

    def _searched(self, loss: str) -> None:
        self.loss.setCurrentIndex(max(0, self.loss.findData(name_of(4, loss))))
        if self.record is None:
            return
        self.search_box.expand(False)
        if self.record.two_classes:
            share = self.record.evaluation.ensemble_accuracy
            show_info(
                f"Found {counted(len(self.record.laws), 'law')}. Law 1, which is applied, classifies "
                f"{percent_interval(share.value, share.low, share.high)} of the held-out cells "
                f"correctly{imbalance(self.record)}."
            )
        else:
            share = self.record.evaluation.ensemble_accuracy
            show_info(
                f"Found a law for each of {len(self.record.classes)} classes. They classify "
                f"{percent_interval(share.value, share.low, share.high)} of the held-out cells correctly."
            )

    def _loss_chosen(self, *_: Any) -> None:
        self.record, self.entries = None, []
        self.loss.setToolTip(f"{CHOOSE} Now: {self.loss.currentText()}.")
        if self.loss.currentData() and self.current.study is not None:
            with self.error_line.catch():
                self.record = classifiers.record(self.current.study, self.loss.currentData())
        self.nothing.setText(self._no_law())
        if self.record is not None:
            self.entries = law_entries(self.record)
        has_laws = self.record is not None
        self.nothing.setVisible(not has_laws)
        for part in (
            self.loss_row,
            self.table,
            self.sentence,
            self.formula,
            self.copy_row,
            self.steps,
            self.card_button,
            self.tabs,
        ):
            part.setVisible(has_laws)
        self.against.setVisible(self.record is not None and not self.record.two_classes)
        if not has_laws:
            self.entry = self.page = None
            self.page_call.forget()
            self.sentence.clear()
            self.formula.clear()
            self.boundary.clear()
            self.cell.show_law(None)
            self.sheet.show_law(None)
        self.table.fill(self.entries, None if self.record is None else self.record.columns)

    @property
    def law(self) -> Law | None:
        """The law on display."""
        return None if self.entry is None else self.entry.law

    @property
    def words(self) -> dict[int, str]:
        """Names of latents with their signs: those of the chosen law once it is read, until then those in the study."""
        if self.page is not None:
            return {int(name[1:]): word for name, word in self.page.words.items()}
        study = self.current.study
        try:
            return study.latent_names if study is not None else {}
        except MorpholawError:
            return {}

    def pick(self, place: int) -> None:
        """Show the law at an index of the study's list."""
        if self.record is None:
            return
        self.entry = self.entries[place]
        if self.entry.class_name is not None:
            self.against.show_class(self.entry.class_name, self.record.classes)
        self._show_entry()

    def _show_entry(self) -> None:
        """Show the picked law, read against the chosen class."""
        record, entry, other = self.record, self.entry, self.against.other
        if record is None or entry is None:
            return
        self.entry, self.page = self.entries[entry.place], None
        if entry.class_name is not None and other:
            self.entry = self.entry.against(record.class_laws, other)
        self._show_law()

    def _place(self) -> LawPlace | None:
        """Return the place of the law on display; None if there is none."""
        study, record, entry = self.current.study, self.record, self.entry
        if study is None or record is None or entry is None:
            return None
        paths = (
            study.path / "classifiers" / record.name / "model.json",
            study.annotations.path,
            study.path / "study.json",
        )
        stamp = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)
        names = tuple(sorted(study.latent_names.items()))
        return LawPlace(str(study.path), record.name, entry.member, entry.class_or_pair, (*stamp, names))

    def _show_law(self) -> None:
        record, entry, study = self.record, self.entry, self.current.study
        if record is None or entry is None or study is None:
            return
        try:
            place = self._place()
        except (MorpholawError, OSError) as error:
            self.error_line.say(str(error))
            return
        assert place is not None
        self._show_formula()
        if record.two_classes:
            number = entry.place
            self.front.draw(lambda figsize, theme: front_figure(record, number, figsize, theme))
        else:
            self.front.say(FRONT_OF_CLASSES)
        self.steps.show_law(record, entry)
        self.card_button.place = place
        self.sentence.setText("Reading the law...")
        self.page_call.start(self.current.live.call, law_page, place)
        self._show_boundary(place)
        self.vetoes.show_law(place)
        self.cell.show_law(place)
        self.sheet.show_law(place)

    def _show_boundary(self, place: LawPlace) -> None:
        record, entry = self.record, self.entry
        assert record is not None
        assert entry is not None
        regions = isinstance(place.class_name, str)
        if record.columns is not None:
            self.boundary.show_inputs(place, record.classes if regions else entry.classes)
            return
        latents = 0 if record.encoder is None else record.encoder.latents
        shown = LatentLaw(
            entry.decision,
            latents,
            entry.classes,
            self.words,
            python_of_law(record, entry, place.study),
            bool(entry.other),
        )
        if regions:
            self.boundary.show_regions(place, record.classes, shown)
        else:
            self.boundary.show_law(shown)

    def _show_formula(self) -> None:
        """Show the formula and its components, with names and units once these are read."""
        entry, page, record = self.entry, self.page, self.record
        if entry is None or record is None:
            return
        from morpholaw.interpretation.components import drawable_parts
        from morpholaw.interpretation.oriented_law import law_in_words
        from morpholaw.models.law_units import law_in_units

        law, names = law_in_units(entry.law, record.columns), named(entry.law.names, self.words)
        self.formula.show_law(*law_in_words(law, names))
        ranges, units = ({}, {}) if page is None else (page.ranges, page.units)
        if drawable_parts(law):
            self.components.draw(
                lambda figsize, theme: components_figure(law, names, ranges, units, figsize, theme)
            )
        else:
            self.components.say("No part of this law depends on one or two inputs only.")

    def _show_words(self, page: LawPage) -> None:
        self.page = page
        entry, record = self.entry, self.record
        if entry is None or record is None:
            return
        formula = self.entries[entry.place].law.text()
        stable = stability_sentence(self.current.study, record.name, formula) if self.current.study else ""
        self.sentence.setText(law_statement(record, entry, page, stable))
        self._show_formula()
        place = self._place()
        if place is not None and page.words and record.columns is None:
            self._show_boundary(place)

    def _renamed(self) -> None:
        self.page = None
        self._show_law()

    def _no_law(self) -> str:
        """Return what the panel says while the study has no law."""
        overview = self.current.overview
        unlabelled = overview is not None and len(overview.labels) < 2
        return self.current.or_no_study(NO_LABELS if unlabelled else NO_LAW)

    def _labels_changed(self) -> None:
        self.nothing.setText(self._no_law())
        self.boundary.labels_changed()
        self._show_law()

    def _selection_changed(self, _: list[int]) -> None:
        self.cell.ask()

    def _layer_removed(self, *_: Any) -> None:
        self.boundary.layer_removed()

    def _rethemed(self, *_: Any) -> None:
        QTimer.singleShot(0, self._show_law)

    def copy(self, kind: str) -> None:
        """Copy the law to the clipboard as "latex", "python", "spreadsheet" or "text"."""
        entry, record = self.entry, self.record
        if entry is None or record is None:
            return
        with self.error_line.catch():
            clipboard = QGuiApplication.clipboard()
            assert clipboard is not None  # it exists as long as the application runs
            clipboard.setText(law_text(kind, entry.law, entry.classes, record.columns, self.words))
            show_info("The law is on the clipboard.")
