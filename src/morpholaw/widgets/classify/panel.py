"""The Classify panel: train the models of a scheme, compare schemes, and score the cells of a movie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QGroupBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import ClassifierConfig
from morpholaw.config.classifier import CNN_EPOCHS
from morpholaw.display import MODELS, percent, scheme_title
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.store.classifier_record import name_of
from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.classify.apply_scores import ApplyScores
from morpholaw.widgets.classify.comparison import ComparisonTable
from morpholaw.widgets.classify.confusion_picture import ConfusionPicture
from morpholaw.widgets.classify.cross_validation import CrossValidationPart
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.preferences import preferences
from morpholaw.widgets.study.study_widget import StudyWidget

if TYPE_CHECKING:
    from morpholaw.store.baseline_record import MeasuredBaseline
    from morpholaw.study import Study

_MEANING = {
    1: "A convolutional network on the pixels: the accuracy to beat, but not interpretable.",
    2: "A dense network on the latents of the encoder.",
    3: "A sparse network on the latents: RigL training and pruning leave few connections (paper, 5.2).",
    4: "Laws found by symbolic regression on the latents that scheme 3 reads. The Laws panel has all settings.",
}
"""What each scheme is."""
NO_CROPS = "The study has no crops yet; cut or import some in the Cells panel."


class ClassifyWidget(StudyWidget):
    """Panel that trains any number of models of a scheme, compares schemes, and applies one to a movie.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.runner = JobRunner(self.current, "classify")
        self.validation = CrossValidationPart(self.viewer, self.current, self.error_line)
        self.validation.button.clicked.connect(self.cross_validate)
        self.body.addWidget(self._training())
        self.keep_in_view(self.runner)
        self.body.addWidget(self._comparison())
        self.body.addWidget(_box("Cross-validate", self.validation))
        self.apply_scores = ApplyScores(self.viewer, self.current, self.runner)
        self.body.addWidget(_box("Apply to the movie", self.apply_scores))
        self.body.addStretch()
        self.runner.finished.connect(self._finished)
        self.listen(self.current.changed, self._forget_classes)
        for signal in (self.current.changed, self.current.crops_changed):
            self.listen(signal, self.apply_scores.forget)
            self.listen(signal, self.refresh)
        self.listen(self.current.labels_changed, self._show_labelled)
        self.listen(self.current.classifiers_changed, self.show_classifiers)
        self.listen(self.current.validations_changed, self.validation.refresh)
        self.listen(self.current.selection_changed, self._selected)
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            self.listen(event, self._layers_changed)
        self.refresh()

    def _training(self) -> QWidget:
        self.scheme = QComboBox()
        self.scheme.setToolTip("Choose the scheme to train.")
        for scheme in MODELS:
            self.scheme.addItem(scheme_title(scheme), scheme)
        self.scheme.setCurrentIndex(2)
        self.meaning = QLabel()
        self.meaning.setWordWrap(True)
        self.form = ConfigForm(
            ClassifierConfig,
            fields=("classes", "models", "epochs", "device"),
            preset={"device": preferences().device},
        )
        self.labelled = QLabel()
        self.labelled.setWordWrap(True)
        self.train_button = QPushButton()
        self.train_button.setToolTip(
            "Train the models on the labelled cells. Whole tracks are held out for testing."
        )
        self.train_error = self.runner.error_line
        self.scheme.currentIndexChanged.connect(self._show_meaning)
        self.train_button.clicked.connect(self.train)
        self._show_meaning()
        return _box("Train", self.scheme, self.meaning, self.form, self.labelled, self.train_button)

    def _comparison(self) -> QWidget:
        self.table = ComparisonTable()
        self.confusion = ConfusionPicture(self.viewer, self.current, self.runner)
        self.doubts = QLabel()
        self.doubts.setWordWrap(True)
        self.compare_button = QPushButton("Compare predictions")
        self.compare_button.setToolTip(
            "Measure how often two schemes predict the same class for a held-out cell, and show it in the column Agree."
        )
        row = QWidget()
        buttons = QHBoxLayout(row)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.addWidget(self.compare_button)
        buttons.addStretch()
        self.table.itemSelectionChanged.connect(self._choose)
        self.compare_button.clicked.connect(self.compare)
        return _box("Compare", self.table, self.doubts, row, self.confusion)

    def _forget_classes(self) -> None:
        """Distinguish the default classes of another study, which may not have those that were chosen."""
        self.form.forget("classes")

    def refresh(self) -> None:
        """Show the crops, labels and classifiers of the study."""
        self.apply_scores.refresh_cells()
        self._show_labelled()
        self.show_classifiers()
        self.validation.refresh()

    def show_classifiers(self) -> None:
        """Show the classifiers of the study."""
        study = self.current.study
        records = [] if study is None else readable_records(study, self.error_line.say)
        self.table.show_classifiers(records, self._baselines())
        self.compare_button.setEnabled(len(records) > 1)
        self.doubts.setText(self.table.doubts())
        self.doubts.setVisible(bool(self.doubts.text()))

    def _baselines(self) -> tuple[MeasuredBaseline, ...]:
        """Return the baselines that were measured with the classifiers; none if their file is damaged."""
        from morpholaw.store.baseline_record import baselines

        try:
            return () if self.current.study is None else baselines(self.current.study)
        except InputError as error:
            self.error_line.say(str(error))
            return ()

    def _show_labelled(self) -> None:
        study, crops = self.current.study, self.current.crops
        if study is None or crops is None:
            self.labelled.setText(self.current.or_no_study(NO_CROPS))
            self._show_classes((), 0)
            return
        counts = study.annotations.counts(*crops.sets)
        labelled = [name for name in study.classes if counts.get(name)]
        listed = ", ".join(f"{counts[name]:,} {name}" for name in labelled)
        self.labelled.setText(
            f"Labelled: {listed}." if listed else "No cell is labelled yet; label some in the Cells panel."
        )
        from morpholaw.store.labelled_cells import chosen_classes  # imports pandas

        self._show_classes(chosen_classes(study), len(labelled))

    def _show_classes(self, usual: tuple[str, ...], labelled: int) -> None:
        """Show in the empty field which classes are distinguished by default, and what to type for all."""
        more = f" (all: {labelled} classes)" if labelled > len(usual) else ""
        self.form.editors["classes"].native.setPlaceholderText(f"{', '.join(usual)}{more}")

    def _show_meaning(self) -> None:
        scheme = self.scheme.currentData()
        self.train_button.setText(f"Train scheme {scheme}")
        self.validation.button.setText(f"Cross-validate scheme {scheme}")
        self.meaning.setText(_MEANING[scheme])
        self.form.use(ClassifierConfig.used_by(scheme), {"epochs": CNN_EPOCHS} if scheme == 1 else {})

    def _layers_changed(self, _: Any = None) -> None:
        self.apply_scores.refresh_layers()

    def _selected(self, cells: list[int]) -> None:
        if cells:
            self.apply_scores.show_cell(cells[0])

    def _choose(self) -> None:
        chosen = self.table.chosen
        self.apply_scores.choose(chosen)
        self.confusion.show_record(chosen)

    def train(self) -> None:
        """Train the models of the chosen scheme in a child process; ask before replacing models."""
        with self.train_error.catch():
            study, scheme = self._ready(), self.scheme.currentData()
            if self._may_replace(scheme):
                arguments = {"scheme": scheme, "replace": True}  # the user has confirmed
                job = Job("train_classifier", str(study.path), self.form.values(), arguments)
                self.runner.start(job, in_words=self.form.by_labels)

    def cross_validate(self) -> None:
        """Cross-validate the chosen scheme with the settings of the form, in a child process."""
        with self.train_error.catch():
            arguments = {"scheme": self.scheme.currentData(), "folds": self.validation.folds.value()}
            job = Job("cross_validate", str(self._ready().path), self.form.values(), arguments)
            self.runner.start(job, table=True, in_words=self.form.by_labels)

    def _ready(self) -> Study:
        """Return the study if the chosen scheme can be trained on it with the settings of the form."""
        study = self.current.required()
        config = self.form.config()
        assert isinstance(config, ClassifierConfig)
        scheme = self.scheme.currentData()
        if self.current.crops is None:
            raise InputError(NO_CROPS)
        if scheme > 1 and config.inputs != "shapes" and not study.has_encoder:
            raise InputError(
                f"{scheme_title(scheme).capitalize()} over latents needs an encoder; train one in the Latents "
                'panel, or choose "shapes" as "Inputs" under "Advanced".'
            )
        return study

    def _may_replace(self, scheme: int) -> bool:
        """Return whether models of the scheme may be replaced; ask if the study has some."""
        trained = [record for record in self.table.classifiers if record.name == name_of(scheme, "hinge")]
        if not trained or self.runner.running:
            return True
        record, evaluation = trained[0], trained[0].evaluation
        question = (
            f"The {record.members} trained models of {record.label} (accuracy "
            f"{percent(evaluation.ensemble_accuracy.value)} on {evaluation.test_cells:,} held-out cells) will "
            "be replaced. Train again?"
        )
        return confirmed(self, "Replace trained models", question)

    def compare(self) -> None:
        """Measure how often two schemes predict the same class for a held-out cell, in a child process."""
        with self.train_error.catch():
            job = Job("compare", str(self.current.required().path))
            self.runner.start(job, table=True, name="compare predictions")

    def _finished(self, result: dict[str, Any]) -> None:
        table = result.get("table")
        if table is not None and "fold" in table:
            self.validation.refresh(newest=True)
        elif table is not None and "classifier" in table:
            self.table.show_agreement(table.set_index("classifier"))
        elif "name" in result:
            self.table.show_classifiers(self.table.classifiers, self._baselines(), choose=str(result["name"]))


def _box(title: str, *parts: QWidget) -> QGroupBox:
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    layout.setContentsMargins(4, 4, 4, 4)
    for part in parts:
        layout.addWidget(part)
    return box
