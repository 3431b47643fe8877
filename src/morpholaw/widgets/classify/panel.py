"""The classify panel: train the models of a scheme, compare schemes, and score the movie."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QStringListModel
from qtpy.QtWidgets import (
    QComboBox,
    QCompleter,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from morpholaw.config import ClassifierConfig
from morpholaw.display import MODELS, scheme_title
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.classify.apply_scores import ApplyScores
from morpholaw.widgets.classify.comparison import ComparisonTable
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.preferences import preferences
from morpholaw.widgets.study.saved_classifiers import SavedClassifier, saved_classifiers
from morpholaw.widgets.study.study_widget import StudyWidget

_MEANING = {
    1: "A convolutional network on the pixels: the accuracy to beat; not interpretable.",
    2: "A dense network on the latents of the encoder.",
    3: "A sparse network on the latents, trained with RigL and pruned (paper, 5.2).",
    4: "Laws found by symbolic regression on the latents that scheme 3 kept; the Laws panel has all settings.",
}


class ClassifyWidget(StudyWidget):
    """Any scheme, any number of models: train, compare, look at the confusions, apply to the movie.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.runner = JobRunner(self.current)
        self.body.addWidget(self._training())
        self.body.addWidget(self.runner)
        self.body.addWidget(self._comparison())
        self.apply_scores = ApplyScores(self.viewer, self.current, self.runner)
        self.body.addWidget(_box("Apply to the movie", self.apply_scores))
        self.body.addStretch()
        self.runner.finished.connect(self._finished)
        self.listen(self.current.changed, self.refresh)
        self.listen(self.current.crops_changed, self.refresh)
        self.listen(self.current.labels_changed, self._show_labelled)
        self.listen(self.current.classifiers_changed, self.show_classifiers)
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            self.listen(event, self._layers_changed)
        self.refresh()

    def _training(self) -> QWidget:
        self.scheme = QComboBox()
        for scheme in MODELS:
            self.scheme.addItem(scheme_title(scheme), scheme)
        self.scheme.setCurrentIndex(2)
        self.meaning = QLabel()
        self.meaning.setWordWrap(True)
        self.form = ConfigForm(
            ClassifierConfig, fields=("negative", "positive", "models", "epochs", "device")
        )
        self.form.set_values({"device": preferences().device})
        self._class_names = QStringListModel(self)
        for name in ("negative", "positive"):
            self.form.editors[name].setCompleter(QCompleter(self._class_names, self))
        self.labelled = QLabel()
        self.labelled.setWordWrap(True)
        self.train_button = QPushButton("Train")
        self.train_error = self.runner.error_line
        self.scheme.currentIndexChanged.connect(self._show_meaning)
        self.train_button.clicked.connect(self.train)
        self._show_meaning()
        return _box("Train", self.scheme, self.meaning, self.form, self.labelled, self.train_button)

    def _comparison(self) -> QWidget:
        self.table = ComparisonTable()
        self.confusion = FigurePanel(self.viewer, "")
        self.compare_button = QPushButton("Compare calls")
        self.compare_button.setToolTip("How often the schemes call a test cell alike.")
        row = QWidget()
        buttons = QHBoxLayout(row)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.addWidget(self.compare_button)
        buttons.addStretch()
        self.table.itemSelectionChanged.connect(self._choose)
        self.compare_button.clicked.connect(self.compare)
        return _box("Compare", self.table, row, self.confusion)

    # ---- what is shown

    def refresh(self) -> None:
        """Show the study as it is now."""
        self.apply_scores.refresh_cells()
        self._show_labelled()
        self.show_classifiers()

    def show_classifiers(self) -> None:
        """Show the study's classifiers as they are now."""
        study = self.current.study
        found = [] if study is None else saved_classifiers(study, self.error_line.say)
        self.table.show_classifiers(found)
        self.compare_button.setEnabled(len(found) > 1)

    def _show_labelled(self) -> None:
        study, crops = self.current.study, self.current.crops
        if study is None or crops is None:
            self.labelled.setText("The study has no crops yet; cut or import some in the Cells panel.")
            self._class_names.setStringList([] if study is None else list(study.classes))
            return
        counts = {name: count for name, count in study.annotations.counts(*crops.sets).items() if count}
        listed = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        self.labelled.setText(
            f"Labelled: {listed}." if listed else "No cell is labelled yet; use the Cells panel."
        )
        self._class_names.setStringList(list(study.classes))

    def _show_meaning(self) -> None:
        self.meaning.setText(_MEANING[self.scheme.currentData()])

    def _layers_changed(self, _: Any = None) -> None:
        self.apply_scores.refresh_layers()

    def _choose(self) -> None:
        chosen = self.table.chosen
        self.apply_scores.classifier = chosen
        if chosen is None:
            self.confusion.say("Trained models appear here, one row a scheme.")
        else:
            self.confusion.draw(lambda figsize, theme: _confusion(chosen, figsize, theme))

    # ---- what is done

    def train(self) -> None:
        """Train the chosen scheme's models in a child process."""
        with self.train_error.catch():
            study = self.current.required()
            self.form.config()
            scheme = self.scheme.currentData()
            if self.current.crops is None:
                raise InputError("The study has no crops to train on; cut or import some in the Cells panel.")
            if scheme > 1 and not study.has_encoder:
                raise InputError(
                    f"{scheme_title(scheme).capitalize()} needs an encoder; train one in the Latents panel."
                )
            self.runner.start(
                Job("train_classifier", str(study.path), self.form.values(), {"scheme": scheme})
            )

    def compare(self) -> None:
        """Count how often the schemes call a test cell alike, in a child process."""
        with self.train_error.catch():
            job = Job("compare", str(self.current.required().path))
            self.runner.start(job, table=True, name="compare calls")

    def _finished(self, result: dict[str, Any]) -> None:
        table = result.get("table")
        if table is not None and "classifier" in table:
            self.table.show_agreement(table.set_index("classifier"))
        elif "name" in result:
            self.table.show_classifiers(self.table.classifiers, choose=str(result["name"]))


def _confusion(chosen: SavedClassifier, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.performance import confusion

    size = (min(figsize[0], 3.4), None)
    return confusion(chosen.confusion, chosen.classes, title=chosen.title, theme=theme, figsize=size)


def _box(title: str, *parts: QWidget) -> QGroupBox:
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    for part in parts:
        layout.addWidget(part)
    return box
