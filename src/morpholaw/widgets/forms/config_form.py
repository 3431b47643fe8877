"""A form made of a step's configuration: names, tooltips, ranges and defaults are stated there only."""

from __future__ import annotations

import re
import types
import typing
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from morpholaw.config import StepConfig
from morpholaw.errors import InputError

_LARGEST = 2**31 - 1  # a QSpinBox holds 32 bits


class ConfigForm(QWidget):
    """Edits the settings of one step.

    Parameters
    ----------
    config_class : type of StepConfig
        What is edited.
    fields : sequence of str, optional
        Settings shown at once, in this order; all where empty.
    advanced : sequence of str, optional
        Settings behind "Advanced"; those that ``fields`` leaves out where empty.

    Notes
    -----
    ``changed`` is emitted after every edit. Floating point numbers are edited as text, so that 1e-4 stays 1e-4.
    """

    changed = Signal()

    def __init__(
        self,
        config_class: type[StepConfig],
        fields: typing.Sequence[str] | None = None,
        advanced: typing.Sequence[str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.config_class = config_class
        known = list(config_class.model_fields)
        shown = (
            list(fields) if fields is not None else [name for name in known if name not in (advanced or ())]
        )
        hidden = list(advanced) if advanced is not None else [name for name in known if name not in shown]
        self.editors: dict[str, QWidget] = {}
        self._errors: dict[str, QLabel] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._rows(shown))
        if hidden:
            self.advanced = QCollapsible("Advanced")
            self.advanced.setDuration(0)
            self.advanced.addWidget(self._rows(hidden))
            layout.addWidget(self.advanced)

    def values(self) -> dict[str, Any]:
        """The settings that differ from their defaults, not yet validated."""
        found = {}
        for name, editor in self.editors.items():
            field = self.config_class.model_fields[name]
            value = _read(editor, field)
            if value != _default(field):
                found[name] = value
        return found

    def config(self) -> Any:
        """The validated configuration.

        Raises
        ------
        InputError
            One sentence, which is also shown beside the field that it is about.
        """
        self._show_error("", "")
        try:
            return self.config_class.model_validate(self.values())
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            sentence = _sentence(name, first)
            self._show_error(name, sentence)
            raise InputError(sentence) from None

    def set_values(self, values: dict[str, Any] | StepConfig) -> None:
        """Show these settings, and the defaults of all others."""
        given = values.model_dump() if isinstance(values, StepConfig) else values
        for name, editor in self.editors.items():
            field = self.config_class.model_fields[name]
            _write(editor, given.get(name, _default(field)))
        self._show_error("", "")

    @property
    def error(self) -> str:
        """What is shown beside a field, "" where all is well."""
        return next((label.text() for label in self._errors.values() if label.text()), "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll the panel instead of changing a setting that it passes over."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _rows(self, names: list[str]) -> QWidget:
        box = QWidget()
        rows = QFormLayout(box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name in names:
            field = self.config_class.model_fields[name]
            editor = _editor(field)
            editor.setObjectName(name)
            editor.setToolTip(field.description or "")
            editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            editor.installEventFilter(self)
            _write(editor, _default(field))
            _changed(editor).connect(lambda *_: self.changed.emit())
            label = QLabel(title(name))
            label.setToolTip(field.description or "")
            label.setBuddy(editor)
            rows.addRow(label, editor)
            error = QLabel()
            error.setWordWrap(True)
            error.setStyleSheet("color: #ff8a75;")
            error.hide()
            rows.addRow(error)
            self.editors[name], self._errors[name] = editor, error
        return box

    def _show_error(self, name: str, sentence: str) -> None:
        for key, label in self._errors.items():
            label.setText(sentence if key == name else "")
            label.setVisible(key == name)


def title(name: str) -> str:
    """A setting's name as people read it: "learning_rate" is "learning rate"."""
    return name.replace("_", " ")


def _sentence(name: str, error: Any) -> str:
    if not name:
        return error["msg"].removeprefix("Value error, ").capitalize().rstrip(".") + "."
    return f"The setting {title(name)!r} cannot be {error['input']!r}: {error['msg'].lower()}."


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def _kind(field: FieldInfo) -> tuple[Any, bool]:
    """The type to edit, and whether it may be empty."""
    kind = field.annotation
    if get_origin(kind) in (typing.Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        return parts[0], len(parts) < len(get_args(kind))
    return kind, False


def _editor(field: FieldInfo) -> QWidget:
    kind, optional = _kind(field)
    if kind is bool:
        return QCheckBox()
    if get_origin(kind) is Literal:
        box = QComboBox()
        for choice in get_args(kind):
            box.addItem(str(choice), choice)
        return box
    if kind is int and not optional:
        return _whole_number(field)
    line = QLineEdit()
    line.setPlaceholderText("automatic" if optional else "")
    return line


def _whole_number(field: FieldInfo) -> QSpinBox:
    box = QSpinBox()
    low, high, step = 0, _LARGEST, 1
    for limit in field.metadata:
        if isinstance(limit, Ge):
            low = int(limit.ge)
        elif isinstance(limit, Gt):
            low = int(limit.gt) + 1
        elif isinstance(limit, Le):
            high = int(limit.le)
        elif isinstance(limit, Lt):
            high = int(limit.lt) - 1
        elif isinstance(limit, MultipleOf):
            step = int(limit.multiple_of)
    box.setRange(low, min(high, _LARGEST))
    box.setSingleStep(step)
    box.setGroupSeparatorShown(True)
    return box


def _changed(editor: QWidget) -> Any:
    if isinstance(editor, QSpinBox):
        return editor.valueChanged
    if isinstance(editor, QCheckBox):
        return editor.toggled
    return editor.currentIndexChanged if isinstance(editor, QComboBox) else editor.textChanged


def _write(editor: QWidget, value: Any) -> None:
    if isinstance(editor, QSpinBox):
        editor.setValue(int(value))
    elif isinstance(editor, QCheckBox):
        editor.setChecked(bool(value))
    elif isinstance(editor, QComboBox):
        editor.setCurrentIndex(max(0, editor.findData(value)))
    elif value is None:
        editor.clear()
    elif isinstance(value, (tuple, list)):
        editor.setText(", ".join(f"{item}" for item in value))
    elif isinstance(value, dict):
        editor.setText("; ".join(f"{key}={','.join(items)}" for key, items in value.items()))
    else:
        editor.setText(f"{value}")


def _read(editor: QWidget, field: FieldInfo) -> Any:
    """The editor's value as the setting has it; text that makes no sense stays text, and validation says so."""
    if isinstance(editor, QSpinBox):
        return editor.value()
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QComboBox):
        return editor.currentData()
    kind, optional = _kind(field)
    text = editor.text().strip()
    if not text and optional:
        return None
    if get_origin(kind) is tuple:
        number = get_args(kind)[0]
        return tuple(_number(part, number) for part in re.split(r"[,;\s]+", text.strip("()[]")) if part)
    if get_origin(kind) is dict:
        pairs = [part.split("=", 1) for part in text.split(";") if part.strip()]
        return {
            pair[0].strip(): [item.strip() for item in pair[-1].split(",") if item.strip()] for pair in pairs
        }
    return _number(text, kind)


def _number(text: str, kind: Any) -> Any:
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text
