"""A form for the settings of one step: names, tooltips, ranges and defaults come from its configuration class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import StepConfig
from morpholaw.errors import SettingError
from morpholaw.widgets.forms.error_line import FieldError
from morpholaw.widgets.forms.setting_editor import current_value, default, setting_editor
from morpholaw.widgets.forms.tabs_and_sections import Section


class ConfigForm(QWidget):
    """Edits the settings of one step.

    The widgets are magicgui's. The form adds the sections, the line for errors below each field and the way back to
    the defaults.

    Parameters
    ----------
    config_class : type of StepConfig
        The settings.
    fields : sequence of str, optional
        Settings that are always shown, in this order; by default all that are not in ``advanced``.
    advanced : sequence of str, optional
        Settings behind "Advanced"; by default all that are not in ``fields``.
    preset : mapping, optional
        Values to begin with, and to return to on "Reset to defaults", where they are not the configuration's own.

    Attributes
    ----------
    editors : dict of str to ValueWidget
        One widget per setting, with ``value``, the signal ``changed`` and the Qt widget ``native``.

    Notes
    -----
    ``changed`` is emitted after every edit.
    """

    changed = Signal()

    def __init__(
        self,
        config_class: type[StepConfig],
        fields: Sequence[str] | None = None,
        advanced: Sequence[str] | None = None,
        preset: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.config_class = config_class
        self.preset = dict(preset or {})
        self.editors: dict[str, ValueWidget[Any]] = {}
        self._errors: dict[str, FieldError] = {}
        self._by_paper = False
        names = list(config_class.model_fields)
        shown = list(fields) if fields is not None else [n for n in names if n not in (advanced or ())]
        hidden = list(advanced) if advanced is not None else [n for n in names if n not in shown]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._rows(shown))
        self.reset_button = QPushButton("Reset to defaults")
        self.reset_button.setToolTip("Set every setting of this form back to its default.")
        self.reset_button.clicked.connect(self.reset)
        self.advanced = Section("Advanced", "Settings that rarely need a change.")
        if hidden:
            self.advanced.add_widget(self._rows(hidden))
        self.advanced.add_widget(self.reset_button)
        self.paper_button = QPushButton("Use the paper's settings")
        self.paper_button.setToolTip(
            "Set every setting of this form to that of the paper (--preset paper), to compare with it."
        )
        self.paper_button.clicked.connect(self.use_paper)
        if config_class.PAPER:
            self.advanced.add_widget(self.paper_button)
        layout.addWidget(self.advanced)
        self.reset()

    def values(self) -> dict[str, Any]:
        """Return the settings that differ from the configuration's defaults, not yet validated.

        Those of the paper are among them where they were asked for and have not been changed since, even where they are
        the defaults: a setting that is given counts more than one that is left out.
        """
        values = {name: current_value(editor) for name, editor in self.editors.items()}
        fields, paper = self.config_class.model_fields, self.config_class.PAPER if self._by_paper else {}
        return {
            name: value
            for name, value in values.items()
            if value != default(fields[name]) or (name in paper and value == paper[name])
        }

    def config(self) -> StepConfig:
        """Return the validated configuration.

        Raises
        ------
        SettingError
            One sentence, which is also shown below the field that it is about.
        """
        self.clear_error()
        try:
            return self.config_class.from_values(self.values())
        except SettingError as error:
            sentence = str(error)
            if error.setting in self.editors:  # the name as it stands in the form
                sentence = sentence.replace(repr(error.setting), repr(self.editors[error.setting].label), 1)
            self._show_error(error.setting, sentence)
            raise SettingError(sentence, error.setting) from None

    def set_values(self, values: Mapping[str, Any] | StepConfig) -> None:
        """Show these settings, and the defaults of all others; a value that cannot be shown is the default, too."""
        self._by_paper = False
        wanted = values.model_dump() if isinstance(values, StepConfig) else values
        for name, editor in self.editors.items():
            usual = default(self.config_class.model_fields[name])
            try:
                editor.value = wanted.get(name, usual)
            except (TypeError, ValueError):  # out of the range: from a file of another version
                editor.value = usual
        self.clear_error()

    def reset(self) -> None:
        """Show the values that the form began with."""
        self.set_values(self.preset)

    def use_paper(self) -> None:
        """Show the paper's settings, and how the form began where the paper says nothing, as of the device."""
        self.set_values({**self.preset, **self.config_class.PAPER})
        self._by_paper = True
        self.changed.emit()

    @property
    def error(self) -> str:
        """The sentence that is shown below a field, "" where all is well."""
        return next((line.text() for line in self._errors.values() if line.text()), "")

    def clear_error(self) -> None:
        """Show no error."""
        for line in self._errors.values():
            line.say("")

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the wheel scroll the panel instead of changing a setting that it passes over."""
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _rows(self, names: Sequence[str]) -> QWidget:
        box = QWidget()
        rows = QFormLayout(box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name in names:
            editor = setting_editor(name, self.config_class.model_fields[name])
            native = editor.native
            native.installEventFilter(self)
            editor.changed.connect(self._edited)
            label = QLabel(editor.label)
            label.setToolTip(native.toolTip())
            label.setBuddy(native)
            rows.addRow(label, native)
            self.editors[name], self._errors[name] = editor, FieldError()
            rows.addRow(self._errors[name])
        return box

    def _edited(self, _: Any) -> None:
        self.clear_error()
        self.changed.emit()

    def _show_error(self, name: str, sentence: str) -> None:
        line = self._errors.get(name) or next(iter(self._errors.values()))
        line.say(sentence)
        if name in self.editors and not self.editors[name].native.isVisible():
            self.advanced.expand()
