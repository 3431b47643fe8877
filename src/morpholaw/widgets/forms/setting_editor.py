"""The magicgui widget that edits one setting, made from the setting's field: type, limits and description."""

from __future__ import annotations

import contextlib
import html
import re
import types
import typing
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from magicgui.widgets import CheckBox, LineEdit, SpinBox, create_widget
from magicgui.widgets.bases import ValueWidget
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt

from morpholaw.widgets.forms.narrow_inputs import make_narrow

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


class TextSetting(LineEdit):
    """Edits a value as text.

    magicgui's own spin box for floats rounds to a fixed number of decimals, which would turn a learning rate of
    1e-3 into 0; text keeps every digit. Text that is not a value stays text, so that validation can say what is
    wrong with it. An empty line is None where the annotation allows it.

    Examples
    --------
    >>> TextSetting(value=(8, 16), annotation=tuple[int, ...]).value  # doctest: +SKIP
    (8, 16)
    """

    def get_value(self) -> Any:
        """Return the value that the text stands for."""
        return parse(str(super().get_value()), self.annotation)

    def set_value(self, value: Any) -> None:
        """Show a value as text."""
        super().set_value(as_text(value))

    def _on_value_change(self, value: str | None = None) -> None:
        self.changed.emit(self.get_value())


def as_text(value: Any) -> str:
    """Return the text that :func:`parse` reads back as ``value``."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{key}={', '.join(items)}" for key, items in value.items())
    if isinstance(value, (tuple, list)):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def parse(text: str, annotation: Any) -> Any:
    """Return the value of a line of text; parts that are not of the annotated type stay text.

    Parameters
    ----------
    text : str
        E.g. "1e-4", "8, 16, 32" or "metaphase=Metaphase, Aligned; interphase=Interphase".
    annotation : type
        E.g. ``float``, ``tuple[int, ...] | None`` or ``dict[str, list[str]]``.
    """
    text = text.strip()
    kind, optional = without_none(annotation)
    if not text and optional:
        return None
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        separators = r"[,;]" if item is str else r"[,;\s]+"  # the name of a class may have a space in it
        parts = (part.strip() for part in re.split(separators, text.strip("()[]")))
        return tuple(_number(part, item) for part in parts if part)
    if get_origin(kind) is dict:
        return dict(_entry(part) for part in text.split(";") if part.strip())
    return _number(text, kind)


def without_none(annotation: Any) -> tuple[Any, bool]:
    """Return the annotation without its None, and whether it had one."""
    if get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    kinds = tuple(kind for kind in get_args(annotation) if kind is not type(None))
    return kinds[0] if len(kinds) == 1 else typing.Union[kinds], len(kinds) < len(get_args(annotation))  # noqa: UP007


def _entry(text: str) -> tuple[str, list[str]]:
    key, _, items = text.partition("=")
    return key.strip(), [item.strip() for item in items.split(",") if item.strip()]


def _number(text: str, kind: Any) -> Any:
    for number in (int, float):
        if number in (kind, *get_args(kind)):  # a channel is a name or a number
            with contextlib.suppress(ValueError):
                return number(text)
    return text
