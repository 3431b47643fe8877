"""The magicgui widget that edits one setting, made from the setting's field: type, limits and description."""

from __future__ import annotations

import html
from typing import Any, Literal, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from magicgui.widgets import CheckBox, SpinBox, create_widget
from magicgui.widgets.bases import ValueWidget
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt

from morpholaw.widgets.forms.narrow_combo import make_narrow
from morpholaw.widgets.forms.text_setting import TextSetting, as_text, without_none

LARGEST = 2**31 - 1
"""The largest whole number where a setting states no limit: seeds and counts are read as 32 bits by some libraries."""


def setting_editor(name: str, field: FieldInfo) -> ValueWidget[Any]:
    """Return a widget that edits a setting, at its default.

    Parameters
    ----------
    name : str
        The setting's name, also the object name of the Qt widget (``editor.native``).
    field : FieldInfo
        Its annotation chooses the widget, its constraints are the range, its description is the tooltip.
    """
    kind, optional = without_none(field.annotation)
    options: dict[str, Any] = {"tooltip": tooltip(field)}
    if kind is int and not optional:
        options |= whole_limits(field)
    elif optional or (kind not in (bool, str) and get_origin(kind) is not Literal):
        options["widget_type"] = TextSetting
    editor = create_widget(
        value=default(field),
        annotation=field.annotation,
        name=name,
        label=label(name, field),
        options=options,
    )
    assert isinstance(editor, ValueWidget)
    native = editor.native
    native.setObjectName(name)
    native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if isinstance(editor, SpinBox):
        # While one types "32", a range from 16 must not turn the "3" into 16.
        native.setKeyboardTracking(False)
    elif isinstance(editor, CheckBox):
        editor.text = ""  # its name stands in the form's left column, like all others
    elif get_origin(kind) is Literal:
        make_narrow(native)
    elif isinstance(editor, TextSetting) and optional:
        native.setPlaceholderText("automatic")
    return editor


def current_value(editor: ValueWidget[Any]) -> Any:
    """Return an editor's value, with the digits of a number that is still being typed."""
    if isinstance(editor, SpinBox):
        text = editor.native.lineEdit().text()
        if text != str(editor.value) and text.lstrip("-").isdigit():
            return int(text)
    return editor.value


def label(name: str, field: FieldInfo) -> str:
    """Return the field's title, or its name in sentence case: "Learning rate"."""
    return field.title or name.replace("_", " ").capitalize()


def default(field: FieldInfo) -> Any:
    """Return the setting's default."""
    return field.get_default(call_default_factory=True)


def tooltip(field: FieldInfo) -> str:
    """Return the description and the default as rich text, which Qt wraps."""
    sentences = [field.description or ""]
    if shown := as_text(default(field)):
        sentences.append(f"Default: {shown}.")
    return f"<qt>{html.escape(' '.join(sentences), quote=False)}</qt>"


def whole_limits(field: FieldInfo) -> dict[str, int]:
    """Return "min", "max" and "step" of a whole number, from the field's constraints."""
    low, high, step = 0, LARGEST, 1
    for limit in field.metadata:
        if isinstance(limit, Ge):
            low = _whole(limit.ge)
        elif isinstance(limit, Gt):
            low = _whole(limit.gt) + 1
        elif isinstance(limit, Le):
            high = _whole(limit.le)
        elif isinstance(limit, Lt):
            high = _whole(limit.lt) - 1
        elif isinstance(limit, MultipleOf):
            step = _whole(limit.multiple_of)
    return {"min": low, "max": min(high, LARGEST), "step": step}


def _whole(limit: Any) -> int:
    return int(limit)
