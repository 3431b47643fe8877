"""A form for the settings of one step. Names, tooltips, ranges and defaults come from its configuration class."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from magicgui.widgets import CheckBox
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import StepConfig
from morpholaw.errors import SettingError
from morpholaw.widgets.forms.error_line import FieldError
from morpholaw.widgets.forms.setting_editor import current_value, default, in_words, setting_editor
from morpholaw.widgets.forms.tabs_and_sections import Section

_OPTION = re.compile(r"(?P<verb>give )?--(?:set )?(?P<name>[a-z][a-z_-]*)(?:=(?P<value>\.\.\.|[^\s,;)]+))?")
"""How a message names a setting of the command: "--frame-offset -10", "give --swap-xy", "--set pixel_size=0.3"."""
_KEYWORD = re.compile(r" \((?P<name>\w+)=[^);]*\)")
"""How a message repeats a setting in Python: " (frame_offset=-10)"."""
_QUOTED = re.compile(r"'(?P<name>[a-z][a-z_]*)'")
"""How a message about settings names them: "The setting 'warmup_epochs' is 20"."""


class ConfigForm(QWidget):
    """Edits the settings of one step.

    The editors are magicgui widgets. The form adds a section for advanced settings, an error line below each field,
    and a button that resets to the defaults.

    Parameters
    ----------
    config_class : type of StepConfig
        The settings.
    fields : sequence of str, optional
        Settings that are always shown, in this order; by default all that are not in ``advanced``.
    advanced : sequence of str, optional
        Settings in the section "Advanced"; by default all that are not in ``fields``.
    preset : mapping, optional
        Initial values that differ from the defaults of the configuration; "Reset to defaults" returns to them.

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
        self.used = frozenset(config_class.model_fields)
        self._defaults: dict[str, Any] = {}
        self._labels: dict[str, QLabel] = {}
        self.editors: dict[str, ValueWidget[Any]] = {}
        self._errors: dict[str, FieldError] = {}
        self._by_paper = False
        self._before: tuple[dict[str, Any], bool] = {}, False
        names = list(config_class.model_fields)
        shown = list(fields) if fields is not None else [n for n in names if n not in (advanced or ())]
        hidden = list(advanced) if advanced is not None else [n for n in names if n not in shown]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._rows(shown))
        self.reset_button = QPushButton("Reset to defaults")
        self.reset_button.setToolTip("Set every setting of this form back to its default.")
        self.reset_button.clicked.connect(lambda: self._undoably(self.reset))
        self._advanced = frozenset(hidden)
        self.advanced = Section("Advanced", "Show settings that rarely need to be changed.")
        if hidden:
            self.advanced.add_widget(self._rows(hidden))
        self.advanced.add_widget(self.reset_button)
        self.paper_button = QPushButton("Use the paper's settings")
        self.paper_button.setToolTip(
            "Set every setting of this form to its value in the paper, to compare results."
        )
        self.paper_button.clicked.connect(lambda: self._undoably(self.use_paper))
        if config_class.PAPER:
            self.advanced.add_widget(self.paper_button)
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip("Show the settings from before all of them were set at once.")
        self.undo_button.clicked.connect(self.undo)
        self.advanced.add_widget(self.undo_button)
        layout.addWidget(self.advanced)
        self.reset()

    def values(self) -> dict[str, Any]:
        """Return the settings in use that differ from the defaults, not yet validated.

        After "Use the paper's settings", they include unchanged settings of the paper even if these equal the defaults,
        because a step treats a setting that is given differently from one that is left out.
        """
        values = {name: current_value(editor) for name, editor in self.editors.items()}
        paper = self.config_class.PAPER if self._by_paper else {}
        return {
            name: value
            for name, value in values.items()
            if name in self.used and (value != self.default(name) or (name in paper and value == paper[name]))
        }

    def default(self, name: str) -> Any:
        """Return the default of a setting."""
        return self._defaults.get(name, default(self.config_class.model_fields[name]))

    def use(self, names: Iterable[str], defaults: Mapping[str, Any]) -> None:
        """Show only some settings.

        Parameters
        ----------
        names : iterable of str
            The settings. The others keep their values, but are not among ``values()``.
        defaults : mapping
            Defaults that differ from those of the configuration. A setting that has its default gets the new one.
        """
        unchanged = [name for name, editor in self.editors.items() if editor.value == self.default(name)]
        self.used, self._defaults = frozenset(names), dict(defaults)
        for name, editor in self.editors.items():
            if name in unchanged and editor.value != self.default(name):
                editor.value = self.default(name)
            for part in (self._labels[name], editor.native):
                part.setVisible(name in self.used)
        self.clear_error()

    def config(self) -> StepConfig:
        """Return the validated configuration.

        Raises
        ------
        SettingError
            If a setting is invalid; the sentence is also shown below the field.
        """
        self.clear_error()
        try:
            return self.config_class.from_values(self.values())
        except SettingError as error:
            sentence = str(error)
            if error.setting in self.editors:  # use the label of the field
                sentence = sentence.replace(repr(error.setting), repr(self.editors[error.setting].label), 1)
            self._show_error(error.setting, sentence)
            raise SettingError(sentence, error.setting) from None

    def by_labels(self, sentence: str) -> str:
        """Return a sentence with the labels of fields in place of the command's options and of Python's keywords."""

        def labelled(found: re.Match[str]) -> str:
            name = found["name"].replace("-", "_")
            if name not in self.editors:
                return found[0]
            above = "Advanced > " if name in self._advanced else ""
            label = self._label_without_unit(name)
            if isinstance(self.editors[name], CheckBox):
                return f'tick "{above}{label}"'
            value = ""
            if found["value"] not in (None, "..."):
                value = f" {in_words(self.config_class.model_fields[name], found['value'])}"
            return f'{found["verb"] or ""}"{above}{label}"{value}'

        def field(found: re.Match[str]) -> str:
            return (
                repr(self._label_without_unit(found["name"])) if found["name"] in self.editors else found[0]
            )

        if sentence.startswith("The setting "):
            return _QUOTED.sub(field, sentence)
        spoken = _KEYWORD.sub(lambda found: "" if found["name"] in self.editors else found[0], sentence)
        return _OPTION.sub(labelled, spoken)

    def _label_without_unit(self, name: str) -> str:
        return re.sub(r" \([^)]*\)$", "", self.editors[name].label)

    def set_values(self, values: Mapping[str, Any] | StepConfig) -> None:
        """Show ``values``, and the default for settings that are missing or whose value cannot be shown."""
        self._by_paper = False
        self.undo_button.hide()
        given = values.model_dump() if isinstance(values, StepConfig) else values
        for name, editor in self.editors.items():
            default_value = self.default(name)
            try:
                editor.value = given.get(name, default_value)
            except (TypeError, ValueError):  # out of range: from a file written by another version
                editor.value = default_value
        self.clear_error()

    def forget(self, *names: str) -> None:
        """Show the default of settings that do not apply to other data, because other data are open."""
        for name in names:
            self.editors[name].value = self.default(name)
        self.clear_error()

    def reset(self) -> None:
        """Show the initial values of the form."""
        self.set_values(self.preset)

    def use_paper(self) -> None:
        """Show the settings of the paper; settings that it does not state, such as the device, get initial values."""
        self.set_values({**self.preset, **self.config_class.PAPER})
        self._by_paper = True
        self.changed.emit()

    def _undoably(self, change: Callable[[], None]) -> None:
        """Set all settings at once, and let the user undo it."""
        before = {name: current_value(editor) for name, editor in self.editors.items()}, self._by_paper
        change()
        self._before = before
        self.undo_button.setVisible(before[0] != {name: one.value for name, one in self.editors.items()})

    def undo(self) -> None:
        """Show the settings from before the form was reset or set to those of the paper."""
        values, by_paper = self._before
        self.reset_button.setFocus()  # the button is about to be hidden, and the next one starts a step
        self.set_values(values)
        self._by_paper = by_paper
        self.changed.emit()

    @property
    def error(self) -> str:
        """The error shown below a field, "" if there is none."""
        return next((line.text() for line in self._errors.values() if line.text()), "")

    def clear_error(self) -> None:
        """Show no error."""
        for line in self._errors.values():
            line.say("")

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the wheel scroll the panel instead of changing the setting under the mouse."""
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
            self._labels[name] = label
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
