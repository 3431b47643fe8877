"""The bar at the top of every panel, with the name of the open study and buttons to open or create another one."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QWidget

from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.study.current_study import CurrentStudy

RECENT = 8
"""Number of recent studies in the menu."""


class StudyBar(QWidget):
    """Shows the name of the open study, and opens and creates studies.

    Parameters
    ----------
    current : CurrentStudy
        The study that is shown and changed.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.error_line = current, error_line
        self.name = QLabel()
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.open_button = QPushButton("Open...")
        self.open_button.setToolTip("Open a study, which is a folder that contains study.json.")
        self.new_button = QPushButton("New...")
        self.new_button.setToolTip("Create a study in a new or empty folder.")
        self.recent = QPushButton("Recent")
        self.recent.setToolTip("Open one of the most recent studies.")
        self.recent_menu = QMenu(self.recent)
        self.recent_menu.setToolTipsVisible(True)
        self.recent_menu.aboutToShow.connect(self._fill_recent)
        self.recent.setMenu(self.recent_menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)  # in line with the body below
        self.recent.setMinimumWidth(
            self.recent.sizeHint().width() + 6
        )  # napari's style leaves no room for the arrow
        layout.addWidget(self.name, 1)
        for button in (self.open_button, self.new_button, self.recent):
            layout.addWidget(button)
        self.open_button.clicked.connect(self._ask_open)
        self.new_button.clicked.connect(self._ask_new)
        self.show_name()

    def show_name(self) -> None:
        """Show the name of the open study."""
        study = self.current.study
        self.name.setText("No study open" if study is None else f"Study: {study.name}")
        self.name.setToolTip("" if study is None else str(study.path))

    def open_study(self, path: Path | str) -> None:
        """Open the study at ``path``, or show why it cannot be opened."""
        with self.error_line.catch():
            self._remember(self.current.open(path).path)

    def create_study(self, path: Path | str) -> None:
        """Create a study at ``path``, or show why it cannot be created."""
        with self.error_line.catch():
            self._remember(self.current.create(path).path)

    def _ask_open(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Open a study", self._start()):
            self.open_study(path)

    def _ask_new(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Create a study: name its folder", self._start())
        if path:
            self.create_study(path)

    def _start(self) -> str:
        from morpholaw.widgets.study.preferences import preferences

        study = self.current.study
        return str(study.path.parent) if study is not None else preferences().study_folder

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        for path in self.recent_paths():
            action = self.recent_menu.addAction(path)
            if action is not None:
                action.triggered.connect(lambda _=False, path=path: self.open_study(path))
        if self.recent_menu.isEmpty():
            action = self.recent_menu.addAction("No recent studies")
            if action is not None:
                action.setEnabled(False)

    @staticmethod
    def recent_paths() -> list[str]:
        """Return the paths of recent studies that still exist, newest first."""
        saved = _settings().value("recent") or []
        paths = [saved] if isinstance(saved, str) else list(saved)
        return [path for path in paths if (Path(path) / "study.json").is_file()]

    @classmethod
    def _remember(cls, path: Path) -> None:
        text = str(path.resolve())
        _settings().setValue("recent", [text, *(old for old in cls.recent_paths() if old != text)][:RECENT])


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "morpholaw", "widgets")
