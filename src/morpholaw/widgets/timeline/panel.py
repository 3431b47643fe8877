"""The Timeline panel: phases and divisions of tracked cells, their durations, and differences between conditions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from morpholaw.config import TimelineConfig
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.store import timelines
from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.forms.tabs_and_sections import PanelTabs, add_tab
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.cell_scorer import NO_CLASSIFIER, TRAIN_FIRST
from morpholaw.widgets.study.study_widget import StudyWidget
from morpholaw.widgets.timeline.events_table import EventsTable, go_to
from morpholaw.widgets.timeline.shown_timeline import ShownTimeline, read_timeline

if TYPE_CHECKING:
    from morpholaw.evaluation.timeline_tables import TimelineTables

NOTHING = "Press Make timeline to see {} here."
SHOWN = (
    "how long the cells stay in each class",
    "how the conditions differ",
    "the share of each class in each frame",
    "the divisions and changes of class",
)
"""What each tab shows."""
NO_CONDITIONS = "With a table of conditions, replicates are compared here."
NO_EVENTS = (
    "No cell divides or changes its class in this timeline; tracks with a division, or longer than one phase, would be "
    "listed here."
)
TOO_FEW = "No class has enough phases that are seen from beginning to end, so durations cannot be estimated."


class TimelineWidget(StudyWidget):
    """Panel that makes the timeline of a study and shows it; clicking an event shows its cell in the viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    tables : TimelineTables or None
        The timeline on display.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.tables: TimelineTables | None = None
        self.runner = JobRunner(self.current, "timeline")
        self.call = LatestCall(self)
        self._build()
        self._new_study = ""
        self.make_button.clicked.connect(self.make)
        self.study_button.clicked.connect(self._ask_for_study)
        self.browse_button.clicked.connect(self._browse)
        self.shown_class.currentIndexChanged.connect(self._draw_class)
        self.runner.finished.connect(self._finished)
        self.events.picked.connect(self.show_event)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self.error_line.say)
        self.listen(self.current.changed, self._study_changed)
        self.listen(self.current.classifiers_changed, self._show_classifiers)
        self.listen(self.current.timeline_changed, self.reload)
        self.refresh()

    def _build(self) -> None:
        self.scheme = narrow_combo("classifier")
        self.scheme.setToolTip("Choose the classifier that predicts the classes of the timeline.")
        self.conditions = QLineEdit()
        self.conditions.setPlaceholderText("none")
        self.conditions.setToolTip(
            "Choose a CSV table with the condition and the replicate of each movie, or leave this field empty."
        )
        self.browse_button = QPushButton("Choose file...")
        self.browse_button.setToolTip("Choose the table with the columns movie, condition and replicate.")
        file_row = QWidget()
        row = QHBoxLayout(file_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.conditions, 1)
        row.addWidget(self.browse_button)
        rows = QFormLayout()
        rows.addRow("Classifier", self.scheme)
        rows.addRow("Conditions", file_row)
        self.form = ConfigForm(TimelineConfig, fields=("frame_interval",))
        self.make_button = QPushButton("Make timeline")
        self.make_button.setToolTip(
            "Classify all tracked cells and find their phases, divisions and durations."
        )
        self.study_button = QPushButton("Make a study of the conditions...")
        self.study_button.setToolTip(
            "Make and open a study of the same cells whose classes are the conditions, to find a law that separates "
            "treated from untreated cells, for example. Whole replicates are held out for testing."
        )
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.shown_class = narrow_combo("class")
        self.shown_class.setToolTip("Choose the class whose durations are plotted.")
        self.durations, self.compared, self.shares = (
            FigurePanel(self.viewer, NOTHING.format(what)) for what in SHOWN[:-1]
        )
        self.events = EventsTable()
        self.tabs = PanelTabs(self.scroll_area)
        for page, title, tip in (
            (self.durations, "Durations", "See how long cells stay in the chosen class."),
            (self.compared, "Conditions", "Compare the durations between conditions and replicates."),
            (self.shares, "Over time", "See the share of each class in each frame."),
            (self.events, "Events", "List the divisions and changes of class; click one to see its cell."),
        ):
            add_tab(self.tabs, page, title, tip)
        self.body.addLayout(rows)
        self.keep_in_view(self.runner)
        parts = (self.form, self.make_button, self.study_button, self.summary, self.shown_class, self.tabs)
        for part in parts:
            self.body.addWidget(part)
        self.body.addStretch(1)

    def _study_changed(self) -> None:
        """Forget the conditions and the frame interval, which may not be those of this study's movies."""
        self.conditions.clear()
        self.form.forget("frame_interval")
        self.refresh()

    def refresh(self) -> None:
        """Show the classifiers and the timeline of the study."""
        self._show_classifiers()
        self.reload()

    def make(self) -> None:
        """Make the timeline in a child process."""
        with self.runner.error_line.catch():
            study = self.current.required()
            name = self.scheme.currentData()
            if name is None:
                raise InputError("No classifier is trained yet; train one in the Classify panel first.")
            self.form.config()
            self._new_study = ""
            arguments: dict[str, Any] = {"scheme": name}
            if path := self.conditions.text().strip():
                arguments["conditions"] = path
            self.runner.start(Job("timeline", str(study.path), self.form.values(), arguments))

    def make_study(self, out: str) -> None:
        """Make the study of conditions at ``out`` in a child process, and open it when it is complete."""
        with self.runner.error_line.catch():
            study = self.current.required()
            arguments = {"out": out, "conditions": self._required_conditions()}
            self._new_study = out
            self.runner.start(
                Job("condition_study", str(study.path), {}, arguments), name="make a study of the conditions"
            )

    def reload(self) -> None:
        """Read the timeline stored in the study, in a thread."""
        self._clear()
        study = self.current.study
        if study is not None and timelines.exists(study):
            self.call.start(read_timeline, study)

    def show_event(self, row: int) -> None:
        """Select the cell of an event and move the viewer to it."""
        crops, tables = self.current.crops, self.tables
        if crops is None or tables is None:
            return
        event = tables.events.iloc[row]
        crop_set = next((candidate for candidate in crops.sets if candidate.name == event["movie"]), None)
        if crop_set is None:
            self.error_line.say(f"The study no longer has the crop set {event['movie']}.", notify=False)
            return
        row = _nearest(crop_set.cells, int(event["track_id"]), int(event["t"]))
        self.current.select([int(crops.offsets[crops.sets.index(crop_set)]) + row])
        cell = crop_set.cells.iloc[row]
        if not go_to(self.viewer, crop_set, int(cell["t"]), float(cell["y"]), float(cell["x"])):
            self.error_line.say(f"Open the movie of {event['movie']} to see its cells.", notify=False)
            return
        self.error_line.clear()

    def _finished(self, values: dict[str, Any]) -> None:
        new_study, self._new_study = self._new_study, ""
        if not values.get("complete", True):
            return
        if new_study:
            self.study_bar.open_study(new_study)
            self.runner.copy_button.show()  # hidden when another study opens, but this step made it
        # The step's last message is already among the notes above the figures, or above the panels of the new study.
        self.runner.status.hide()

    def _required_conditions(self) -> str:
        path = self.conditions.text().strip()
        if not path:
            raise InputError(
                "Choose a table of conditions first; it states the condition and the replicate of each movie."
            )
        return path

    def _ask_for_study(self) -> None:
        with self.runner.error_line.catch():
            folder = self.current.required().path
            self._required_conditions()
            beside = str(folder.with_name(f"{folder.name}-conditions"))
            path, _ = QFileDialog.getSaveFileName(self, "Name the folder of the new study", beside)
            if path:
                self.make_study(path)

    def _show_classifiers(self) -> None:
        study = self.current.study
        chosen = self.scheme.currentData()
        self.scheme.clear()
        for record in [] if study is None else readable_records(study, self.error_line.say):
            self.scheme.addItem(record.label, record.name)
        if not self.scheme.count():
            self.scheme.addItem(NO_CLASSIFIER)
        if (place := self.scheme.findData(chosen)) >= 0:
            self.scheme.setCurrentIndex(place)
        if self.tables is None:
            self._say_what_to_do()

    def _clear(self) -> None:
        self.tables = None
        self.call.forget()
        self.shown_class.clear()
        self.shown_class.hide()
        self.events.setRowCount(0)
        self.summary.hide()
        self._say_what_to_do()

    def _say_what_to_do(self) -> None:
        pages = (self.durations, self.compared, self.shares, self.events)
        for say, what in zip((page.say for page in pages), SHOWN, strict=True):
            hint = NOTHING.format(what) if self.scheme.currentData() else TRAIN_FIRST
            say(self.current.or_no_study(hint))

    def _take(self, shown: ShownTimeline) -> None:
        from morpholaw.figures.timeline_tables import share_figure  # already imported in the thread

        self.tables = tables = shown.tables
        self.summary.setText(shown.summary)
        self.summary.show()
        self.events.say(NO_EVENTS)
        self.events.show_events(tables.events)
        self.shares.draw(partial(_figure, share_figure, tables, shown.over_time))
        self.shown_class.blockSignals(True)
        self.shown_class.addItems(shown.timed)
        self.shown_class.blockSignals(False)
        self.shown_class.setVisible(bool(shown.timed))
        self._draw_class()

    def _draw_class(self, _: int = -1) -> None:
        from morpholaw.figures.timeline_tables import duration_figure, superplot_figure

        tables, name = self.tables, self.shown_class.currentText()
        if tables is None:
            return
        if not name:
            self.durations.say(TOO_FEW)
            self.compared.say(TOO_FEW)
            return
        self.durations.draw(partial(_figure, duration_figure, tables, name))
        if tables.condition_names:
            self.compared.draw(partial(_figure, superplot_figure, tables, name))
        else:
            self.compared.say(NO_CONDITIONS)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a table of conditions", "", "Tables (*.csv *.tsv *.txt)"
        )
        if path:
            self.conditions.setText(path)


def _figure(make: Any, tables: TimelineTables, name: str, figsize: Any, theme: Any) -> Any:
    return make(tables, name, figsize=figsize, theme=theme)


def _nearest(cells: Any, track_id: int, t: int) -> int:
    """Return the row of the crop of a track in the frame nearest to ``t``."""
    rows = np.flatnonzero(cells["track_id"].to_numpy() == track_id)
    return int(rows[np.abs(cells["t"].to_numpy()[rows] - t).argmin()])
