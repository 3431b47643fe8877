"""The Encoder tab: train the study's encoder (a beta-TCVAE), watch its losses, resume it, or load another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import Event, Metrics, Preview
from morpholaw.jobs import Job
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.python_code import step_code
from morpholaw.widgets.latents.latent_space import load_encoder
from morpholaw.widgets.latents.training_plot import TrainingPlot
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, white_of
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.encoder_state import EncoderState, encoder_state
from morpholaw.widgets.study.preferences import preferences

if TYPE_CHECKING:
    from morpholaw.study import Study
    from morpholaw.widgets.jobs.step_run import StepRun

MAIN = ("epochs", "epoch_crops", "latents", "beta", "reconstruction", "device")
"""Settings that are always shown; the others are in the section "Advanced"."""
REPLACE = (
    "This replaces the study's encoder. Classifiers and laws that were trained on the old one will no longer fit the "
    "new one. Replace the encoder?"
)
TRAINED_HERE = "The encoder is being trained; its losses are shown below."
TRAINED_ELSEWHERE = (
    "The encoder is being trained as a step on the way from labels to a law. Its losses are shown here; Stop is above, "
    "below the list of steps."
)


class EncoderPanel(QWidget):
    """Trains, resumes or loads the encoder of the current study.

    Parameters
    ----------
    current : CurrentStudy
        The study. Its signal ``encoder_changed`` is emitted after a new encoder is loaded.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.error_line = current, error_line
        self.encoder = EncoderState()
        self._build()
        self.show_state()

    def _build(self) -> None:
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.form = ConfigForm(EncoderConfig, fields=MAIN, preset={"device": preferences().device})
        self.train_button = QPushButton("Train encoder")
        self.train_button.setToolTip("Train the encoder (a beta-TCVAE) on all crops of the study.")
        self.resume_button = QPushButton("Resume training")
        self.resume_button.setToolTip("Continue the training that was stopped, with its original settings.")
        self.load_button = QPushButton("Load encoder...")
        self.load_button.setToolTip(
            "Copy a trained encoder into this study, from another study or from its folder named encoder."
        )
        self.sample_button = QPushButton("Load sample encoder")
        self.sample_button.setToolTip(
            "Copy the encoder that comes with Morpholaw, which was trained on simulated cells."
        )
        self.runner = JobRunner(self.current, "encoder")
        self.plot = TrainingPlot()
        self.strip = PictureGrid("", largest=64)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.state)
        layout.addWidget(self.form)
        buttons = QGridLayout()
        for place, button in enumerate(
            (self.train_button, self.resume_button, self.load_button, self.sample_button)
        ):
            buttons.addWidget(button, place // 2, place % 2)
        layout.addLayout(buttons)
        layout.addWidget(self.runner)
        layout.addWidget(self.plot)
        layout.addWidget(self.strip)
        layout.addStretch(1)
        self.train_button.clicked.connect(self.train)
        self.resume_button.clicked.connect(self.resume)
        self.load_button.clicked.connect(self._ask_load)
        self.sample_button.clicked.connect(lambda: self.load("sample"))
        self.runner.reported.connect(self._take)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(lambda _: self.show_state())
        self.current.steps.begun.connect(self._follow)
        for begun in self.current.steps.places:
            self._follow(begun)

    @property
    def trained_elsewhere(self) -> bool:
        """Whether another part of the window is training the encoder of the open study."""
        own = self.current.steps.at(self.runner.place)
        return any(run is not own and self._trains_this(run) for run in self.current.steps.running)

    def _trains_this(self, run: StepRun) -> bool:
        trains = run.job is not None and run.job.step == "train_encoder"
        return trains and not self.current.shows_other(run.study)

    def _follow(self, place: str) -> None:
        """Show the losses of a training that another part of the window has started."""
        run = self.current.steps.at(place)
        if run is None or place == self.runner.place or not run.running or not self._trains_this(run):
            return
        run.reported.connect(self._take_from_elsewhere)
        run.ended.connect(self._ended_elsewhere)
        self.strip.clear("")
        self.runner.forget()
        self.show_state()

    def _take_from_elsewhere(self, event: Event) -> None:
        if self.trained_elsewhere:
            self._take(event)

    def _ended_elsewhere(self, _: StepRun) -> None:
        self.show_state()

    def show_state(self) -> None:
        """Describe the study's encoder, and plot its losses unless it is being trained."""
        self.encoder = EncoderState()
        study = self.current.study
        if study is not None:
            with self.error_line.catch():
                self.encoder = encoder_state(study)
        own = self.current.steps.at(self.runner.place)
        sentence = self.encoder.sentence
        if self.trained_elsewhere:
            sentence = TRAINED_ELSEWHERE
        elif own is not None and own.running and self._trains_this(own):
            sentence = TRAINED_HERE
        self.state.setText(self.current.or_no_study(sentence))
        if not self.runner.running:
            record = self.encoder.record
            self.plot.show_history({} if record is None else record.history)
        self._enable()

    def show_study(self) -> None:
        """Show the encoder and settings of a newly opened study, and remove the images of the previous one."""
        if not self.runner.running:
            self.strip.clear("")
        self.show_state()
        record = self.encoder.record
        config = None if record is None else record.config
        self.form.set_values(self.form.preset if config is None else _repeatable(config))

    def _enable(self) -> None:
        training = self.runner.running or self.trained_elsewhere
        free = self.current.study is not None and not training
        for button in (self.train_button, self.load_button, self.sample_button):
            button.setEnabled(free)
        self.resume_button.setEnabled(free and self.encoder.resumable is not None)
        self.form.setVisible(not training)  # losses and images take its place
        self.strip.setVisible(not self.strip.empty)

    def train(self) -> None:
        """Train an encoder with the settings of the form; ask before replacing an encoder."""
        with self.error_line.catch():
            study = self._with_crops()
            self.form.config()
            if study.has_encoder and not confirmed(self, "Replace the encoder", REPLACE):
                return
            self.plot.clear()
            self._run(Job("train_encoder", str(study.path), self.form.values()))

    def resume(self) -> None:
        """Resume a stopped training; the step reports if the crops have changed since it began."""
        with self.error_line.catch():
            study = self._with_crops()
            settings = encoder_state(study).resumable
            if settings is None:
                raise InputError("There is no stopped training to resume; press Train encoder to start one.")
            self.form.set_values(settings)
            self._run(Job("train_encoder", str(study.path), self.form.values(), {"resume": True}))

    def load(self, source: Path | str) -> None:
        """Copy a trained encoder into the study from a folder, or "sample"; ask before replacing an encoder."""
        with self.error_line.catch():
            study = self.current.required()
            if study.has_encoder and not confirmed(self, "Replace the encoder", REPLACE):
                return
            code = step_code(study.path, "load_encoder", {"source": source})
            self.runner.run(
                "load encoder",
                self.current.live.call,
                load_encoder,
                str(study.path),
                str(source),
                python=code,
            )
            self._enable()

    def _run(self, job: Job) -> None:
        self.strip.clear("")
        self.runner.start(job, in_words=self.form.by_labels)
        self.show_state()

    def _with_crops(self) -> Study:
        study = self.current.required()
        if not study.sets:
            raise InputError("The study has no crops yet; cut or import some in the Cells panel first.")
        return study

    def _ask_load(self) -> None:
        start = str(self.current.study.path.parent) if self.current.study is not None else ""
        if folder := QFileDialog.getExistingDirectory(
            self, "Load an encoder: choose a study, or its folder named encoder", start
        ):
            self.load(folder)

    def _take(self, event: Event) -> None:
        if isinstance(event, Metrics):
            self.plot.add(event.step, event.values)
        elif isinstance(event, Preview):
            tiles = grey_tiles(event.images, high=white_of(event.images))
            self.strip.show_pictures(tiles, ("input", "output"))
            self.strip.show()

    def _finished(self, result: dict[str, Any]) -> None:
        self.show_state()
        if "result" in result:  # an encoder was loaded, which the runner does not announce
            self.current.encoder_changed.emit()


def _repeatable(config: EncoderConfig) -> dict[str, Any]:
    """Return the settings of an encoder without a start from a folder that does not exist on this computer."""
    values = config.model_dump()
    if values["start_from"] not in ("auto", "none", "sample") and not Path(values["start_from"]).is_dir():
        del values["start_from"]
    return values
