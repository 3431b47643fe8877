"""Forms that import crops from a folder of images, and labels from a table."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import ImportConfig
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.current_study import CurrentStudy


class ImportFolder(QWidget):
    """Form that imports a folder of crops; the names of its subfolders become their labels."""

    def __init__(self, current: CurrentStudy, runner: JobRunner) -> None:
        super().__init__()
        self.current, self.runner = current, runner
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("folder of crops")
        self.folder.setToolTip("Type the folder that holds the crops, with one subfolder per class.")
        self.browse_button = QPushButton("Choose folder...")
        self.browse_button.setToolTip("Choose the folder that holds the crops.")
        self.form = ConfigForm(ImportConfig, fields=("classes", "group_regex", "size"))
        classes = self.form.editors["classes"].native
        classes.setPlaceholderText("metaphase=Meta, Aligned")
        classes.setToolTip(
            "Type the subfolders of each class, such as metaphase=Metaphase, Aligned; interphase=Interphase. Other "
            "subfolders are imported without labels. If this is empty, each subfolder is a class."
        )
        self.import_button = QPushButton("Import crops")
        self.import_button.setToolTip("Copy the crops of the folder into the study as a new set.")
        self.error_line = ErrorLine()
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse_button)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        for part in (self.form, self.import_button, self.error_line):
            layout.addWidget(part)
        layout.addStretch()
        self.browse_button.clicked.connect(self._ask)
        self.import_button.clicked.connect(self.start)

    def start(self) -> None:
        """Import the folder in a child process."""
        with self.error_line.catch():
            study = self.current.required()
            self.form.config()
            folder = self.folder.text().strip()
            if not folder or not Path(folder).is_dir():
                raise InputError(f"There is no folder {folder!r}; choose the folder that holds the crops.")
            job = Job("import_crops", str(study.path), self.form.values(), {"folder": folder})
            self.runner.start(job, in_words=self.form.by_labels)

    def _ask(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Choose a folder of crops"):
            self.folder.setText(path)


class ImportLabels(QWidget):
    """Form that imports labels from a CSV file and exports them to one.

    Notes
    -----
    ``imported`` is emitted after labels are imported.
    """

    imported = Signal()

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        explanation = QLabel(
            "Import labels from a CSV file with a column label, and a column crop, a column file, or the columns "
            "track_id and t, which say which cell each row describes. The classes of btrack, and the feature label of "
            "a tracks layer, are read when crops are cut."
        )
        explanation.setWordWrap(True)
        self.import_button, self.export_button = (
            QPushButton("Import labels..."),
            QPushButton("Export labels..."),
        )
        self.import_button.setToolTip("Read labels from a CSV file into the study.")
        self.export_button.setToolTip("Save all labels of the study as a CSV file.")
        self.error_line = ErrorLine()
        row = QHBoxLayout()
        row.addWidget(self.import_button)
        row.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.addWidget(explanation)
        layout.addLayout(row)
        layout.addWidget(self.error_line)
        layout.addStretch()
        self.import_button.clicked.connect(self._ask_import)
        self.export_button.clicked.connect(self._ask_export)

    def take(self, path: Path | str) -> None:
        """Read the labels in a CSV file, for the sets that it names or, if it names none, for the newest set."""
        with self.error_line.catch():
            study = self.current.required()
            if self.current.crops is None:
                raise InputError("The study has no crops to label; cut or import some first.")
            sets = self.current.crops.sets
            named = [crop_set for crop_set in sets if crop_set.name in _sets_named(path)] or sets[-1:]
            count = study.annotations.import_csv(path, *named)
            self.imported.emit()
            show_info(f"Read {count:,} labels from {Path(path).name}.")

    def write(self, path: Path | str) -> None:
        """Save all labels of the study as a CSV file."""
        with self.error_line.catch():
            study = self.current.required()
            study.annotations.export_csv(path, *study.sets)
            show_info(f"Wrote the labels to {path}.")

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import labels", "", "CSV (*.csv)")
        if path:
            self.take(path)

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export labels", "labels.csv", "CSV (*.csv)")
        if path:
            self.write(path)


def _sets_named(path: Path | str) -> set[str]:
    """Return the values of the column "set"; an empty set if the column is missing or the file cannot be read."""
    import pandas as pd

    try:
        return set(pd.read_csv(path, usecols=["set"], dtype=str)["set"])
    except (OSError, ValueError):
        return set()
