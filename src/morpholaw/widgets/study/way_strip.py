"""The strip below the study's name: what the study contains, what is out of date, and buttons for the next steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from morpholaw.display import counted, listed
from morpholaw.jobs import Job
from morpholaw.training.cores import available_cores
from morpholaw.training.durations import about
from morpholaw.widgets.forms.folded_text import FoldedText
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.docks import open_panel
from morpholaw.widgets.study.open_page import open_page
from morpholaw.widgets.study.presets import PRESETS
from morpholaw.widgets.study.way_to_law import FEWEST_LABELS, NAMES, PLACE, can_start, too_few

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from morpholaw.store.overview import Overview


FEW_TEST_CELLS = 50
"""Number of held-out cells per class below which accuracy is only roughly known."""
HARDLY_ANY = 10
"""Number of held-out cells per class below which accuracy is hardly known."""


class WayButtons(QWidget):
    """Controls that run all missing steps from labels to a law.

    Parameters
    ----------
    current : CurrentStudy
        The study.
    """

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self.preset = narrow_combo("preset")
        for place, preset in enumerate(PRESETS):
            self.preset.addItem(preset.name, place)
        self.preset.setMinimumWidth(self.preset.fontMetrics().horizontalAdvance("Quick look") + 54)
        self.preset.setToolTip(
            "Choose how thorough the search for a law is. "
            + " ".join(
                f"{preset.name}: {preset.meaning[0].lower()}{preset.meaning[1:]}" for preset in PRESETS
            )
        )
        self.button = QPushButton("Go from labels to a law")
        self.button.setToolTip("Run all missing steps from labelled cells to a law.")
        self.cost = QLabel()
        self.cost.setWordWrap(True)
        self.runner = JobRunner(current, PLACE)
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        row.addWidget(self.preset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.cost)
        layout.addWidget(self.runner)
        self.button.clicked.connect(self._start)
        self.preset.currentIndexChanged.connect(current.way.choose)
        current.way.moved.connect(self.refresh)
        current.way.arrived.connect(self._arrived)
        self._pressed = False
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the steps that are missing and how long they take, or which of them is running."""
        way, overview = self.current.way, self.current.overview
        self.preset.setCurrentIndex(way.choice)  # as in the other panels
        chosen = PRESETS[way.choice]
        running, steps = way.running, way.steps(chosen)
        something = bool(steps) or any(way.steps(preset) for preset in PRESETS)
        few = overview is not None and overview.crops > 0 and not can_start(overview) and not running
        self.preset.setVisible(something and not running)
        self.button.setVisible(bool(steps) and not running)
        self.cost.setVisible(running or something or few)
        if running:
            self.cost.setText(way.place)
            return
        if overview is not None and self._stopped_step not in ("", *way.steps(way.preset)):
            self.runner.forget()  # it was resumed in a panel since
        if few and overview is not None:
            self.cost.setText(_few_labels(overview))
            return
        if not steps:
            self.cost.setText(f"{chosen.name} is done; the other presets search more thoroughly.")
            return
        named = ", ".join(NAMES[step] for step in steps)
        cost = about(way.seconds(chosen, available_cores()))
        self.button.setToolTip(
            f"Run the missing steps in order: {named}. You can stop them and continue later."
        )
        self.cost.setText(f"{cost[0].upper()}{cost[1:]} here: {named}.{self._left_out()}{self._warning()}")

    @property
    def _stopped_step(self) -> str:
        """The step at which the way was stopped, "" if it was not."""
        run = self.current.steps.at(PLACE)
        return run.job.step if run is not None and run.job is not None and run.state == "stopped" else ""

    def _left_out(self) -> str:
        """Return which classes the law is for if others are labelled too, else ""."""
        overview = self.current.overview
        if overview is None or set(overview.labels) <= set(overview.classes):
            return ""
        return f" The law is for {listed(overview.classes)} only."

    def _warning(self) -> str:
        """Return a warning if few cells will be held out for testing, else ""."""
        overview = self.current.overview
        if overview is None or not overview.labels:
            return ""
        from morpholaw.store.labelled_cells import SMALL, SMALL_TEST_FRACTION, TEST_FRACTION

        counts = [overview.labels.get(name, 0) for name in overview.classes]
        share = SMALL_TEST_FRACTION if sum(counts) < SMALL else TEST_FRACTION
        held_out = round(min(counts) * share)
        if held_out >= FEW_TEST_CELLS:
            return ""
        known = (
            "be known only roughly" if held_out >= HARDLY_ANY else "hardly be known: treat it as a first look"
        )
        return f" Only about {held_out} cells of a class will be held out, so the accuracy will {known}."

    def _start(self) -> None:
        with self.runner.error_line.catch():
            self._pressed = True
            self.current.way.start(PRESETS[self.current.way.choice])

    def _arrived(self, report: Path) -> None:
        # all panels receive this signal; only the one whose button was pressed opens the report
        if self._pressed and report.is_file():
            open_page(report)
        self._pressed = False


def _few_labels(overview: Overview) -> str:
    """Return what must be labelled before one button takes all steps to a law."""
    few = ", ".join(f"{count} {name}" for name, count in too_few(overview).items())
    return (
        f"Label at least {FEWEST_LABELS} cells of each class, and one button here takes all steps to a law. There are "
        f"too few of: {few}."
    )


BEGIN = (
    "Open a study, or press New... and cut crops from a tracked movie in the Cells panel. "
    "To try Morpholaw, choose File > Open Sample > Morpholaw."
)
GONE = "The study {} no longer exists; it was moved or deleted. Press Open... to open it elsewhere, or another one."


class WayStrip(QWidget):
    """Shows how far a study is on its way from a movie to a law.

    Parameters
    ----------
    current : CurrentStudy
        The study that is shown.
    viewer : ViewerModel
        The viewer in whose window the button opens the panel for the next step.
    """

    def __init__(self, current: CurrentStudy, viewer: ViewerModel) -> None:
        super().__init__()
        self.current, self.viewer = current, viewer
        self.contents = QLabel()
        self.contents.setWordWrap(True)
        self.warning = FoldedText()
        self.next_button = QPushButton()
        self.next_button.setToolTip("Take the next step on the way from a movie to a law.")
        # a text that is too wide must not widen the strip, which would make it too low for its wrapped labels
        self.next_button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.next_button.clicked.connect(self._take_next_step)
        current.way.moved.connect(self.show_overview)
        self.report = JobRunner(current, "report")
        self.report.finished.connect(self._open_report)
        self._report_path: Path | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)  # in line with the body below
        layout.setSpacing(2)
        self.way = WayButtons(current)
        for part in (self.contents, self.warning, self.next_button, self.way, self.report):
            layout.addWidget(part)
        self.show_overview()

    def show_overview(self) -> None:
        """Show the current state of the study; a hidden panel updates when it is shown."""
        parent = self.parentWidget()
        if parent is not None and not parent.isVisible():
            return
        overview = self.current.overview
        self.next_button.setVisible(overview is not None and not self.current.way.running)
        self.way.setVisible(overview is not None)
        if overview is None:
            self.warning.hide()
            study = self.current.study
            self.contents.setText(BEGIN if study is None else GONE.format(study.name))
            self.contents.setToolTip("How to begin.")
            return
        self.contents.setText(contents(overview))
        self.contents.setToolTip("The contents of the study.")
        self.warning.setVisible(bool(overview.warnings))
        if overview.warnings:
            others = len(overview.warnings) - 1
            more = counted(others, "more warning") if others else "More"
            self.warning.say("\N{WARNING SIGN} " + "\n".join(overview.warnings), more)
            self.warning.setToolTip("\n".join(overview.warnings))
        self.way.refresh()
        step = overview.next_step
        self.next_button.setEnabled(not step.panel or self._window is not None)
        if step.panel:
            self.next_button.setText(f"Next: {step.text.rstrip('.')} ({step.panel})")
            self.next_button.setToolTip(f"Open the {step.panel} panel to do this.")
        else:
            self.next_button.setText("Write the report and open it")
            self.next_button.setToolTip(
                "Write report.html into the study's folder, and open it in the browser."
            )

    @property
    def _window(self) -> object | None:
        return getattr(self.viewer, "window", None)

    def _take_next_step(self) -> None:
        overview = self.current.overview
        if overview is None:
            return
        if overview.next_step.panel and self._window is not None:
            open_panel(self.viewer, overview.next_step.panel)
        elif not overview.next_step.panel and not self.report.running:
            study = self.current.required().path
            self._report_path = study / "report.html"
            self.report.start(
                Job("report", str(study), arguments={"out": str(self._report_path)}), name="write the report"
            )

    def _open_report(self, values: dict[str, Any]) -> None:
        # the strips of all panels receive this signal; only the one whose button was pressed opens the report
        path, self._report_path = self._report_path, None
        if path is not None and values.get("complete", True) and path.is_file():
            open_page(path)


def contents(overview: Overview) -> str:
    """Return the contents of a study as one line of text."""
    schemes = sorted({record.scheme for record in overview.classifiers} - {4})
    law = any(record.scheme == 4 for record in overview.classifiers)
    parts = [
        f"{overview.crops:,} crops",
        f"{overview.labelled:,} labelled",
        _encoder(overview),
        f"scheme{'s' * (len(schemes) > 1)} {' '.join(map(str, schemes))}" if schemes else "no scheme",
        "law \N{CHECK MARK}" if law else "no law",
    ]
    # a line breaks only between two parts
    return "\N{NO-BREAK SPACE}\N{MIDDLE DOT} ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def _encoder(overview: Overview) -> str:
    if overview.resumable:
        return "encoder stopped"
    return "encoder \N{CHECK MARK}" if overview.encoder else "no encoder"
