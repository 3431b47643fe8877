"""The magicgui widget that edits one setting, made from the type, limits and description of its field."""

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

from morpholaw.config.step import InWords
from morpholaw.widgets.forms.narrow_inputs import make_narrow

LARGEST = 2**31 - 1
"""Upper limit of integers without a limit of their own; some libraries read seeds and counts as 32-bit integers."""


def setting_editor(name: str, field: FieldInfo) -> ValueWidget[Any]:
    """Return a widget that edits a setting and shows its default.

    Parameters
    ----------
    name : str
        Name of the setting; also the object name of the Qt widget (``editor.native``).
    field : FieldInfo
        The field of the setting. Its annotation determines the widget, its constraints the range, and its description
        the tooltip.
    """
    kind, optional = without_none(field.annotation)
    options: dict[str, Any] = {"tooltip": tooltip(field)}
    if kind is int and not optional:
        options |= whole_limits(field)
    elif get_origin(kind) is Literal:
        options["choices"] = [(in_words(field, value), value) for value in get_args(kind)]
    elif optional or kind not in (bool, str):
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
        # While the user types "32", a minimum of 16 must not turn the "3" into 16.
        native.setKeyboardTracking(False)
    elif isinstance(editor, CheckBox):
        editor.text = ""  # the label is in the left column of the form, as for all other settings
    elif get_origin(kind) is Literal:
        make_narrow(native)
    elif isinstance(editor, TextSetting) and (optional or default(field) in ((), {})):
        native.setPlaceholderText("automatic")
    return editor


def current_value(editor: ValueWidget[Any]) -> Any:
    """Return the value of an editor, including a number that is still being typed."""
    if isinstance(editor, SpinBox):
        text = editor.native.lineEdit().text()
        if text != str(editor.value) and text.lstrip("-").isdigit():
            return int(text)
    return editor.value


def label(name: str, field: FieldInfo) -> str:
    """Return the title of a field, or its name in sentence case: "Learning rate"."""
    return field.title or name.replace("_", " ").capitalize()


def in_words(field: FieldInfo, value: Any) -> str:
    """Return the name of a choice of a setting: "cross-entropy (bce)", or the value itself."""
    names = next((item.names for item in field.metadata if isinstance(item, InWords)), {})
    return names.get(value, str(value))


def default(field: FieldInfo) -> Any:
    """Return the default of a setting."""
    return field.get_default(call_default_factory=True)


def tooltip(field: FieldInfo) -> str:
    """Return the description and the default as HTML, which Qt wraps."""
    sentences = [field.description or ""]
    value = default(field)
    if shown := in_words(field, value) if isinstance(value, str) else as_text(value):
        sentences.append(f"Default: {shown}.")
    return f"<qt>{html.escape(' '.join(sentences), quote=False)}</qt>"


def whole_limits(field: FieldInfo) -> dict[str, int]:
    """Return "min", "max" and "step" of an integer setting, from the constraints of its field."""
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

    magicgui's spin box for floats rounds to a fixed number of decimals, which would turn a learning rate of 1e-3 into
    0; text keeps all digits. Text that cannot be parsed stays text, and validation says what is wrong with it. An empty
    field is None if the annotation allows None.

    Examples
    --------
    >>> TextSetting(value=(8, 16), annotation=tuple[int, ...]).value  # doctest: +SKIP
    (8, 16)
    """

    def get_value(self) -> Any:
        """Return the value parsed from the text."""
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
    """Return the value of a text; parts that do not match the annotated type stay text.

    Parameters
    ----------
    text : str
        For example "1e-4", "8, 16, 32" or "metaphase=Metaphase, Aligned; interphase=Interphase".
    annotation : type
        For example ``float``, ``tuple[int, ...] | None`` or ``dict[str, list[str]]``.
    """
    text = text.strip()
    kind, optional = without_none(annotation)
    if not text and optional:
        return None
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        separators = r"[,;]" if item is str else r"[,;\s]+"  # names of classes may contain spaces
        parts = (part.strip() for part in re.split(separators, text.strip("()[]")))
        return tuple(_number(part, item) for part in parts if part)
    if get_origin(kind) is dict:
        return dict(_entry(part) for part in text.split(";") if part.strip())
    return _number(text, kind)


def without_none(annotation: Any) -> tuple[Any, bool]:
    """Return an annotation without None, and whether it allowed None."""
    if get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    kinds = tuple(kind for kind in get_args(annotation) if kind is not type(None))
    return kinds[0] if len(kinds) == 1 else typing.Union[kinds], len(kinds) < len(get_args(annotation))  # noqa: UP007


def _entry(text: str) -> tuple[str, list[str]]:
    key, _, items = text.partition("=")
    return key.strip(), [item.strip() for item in items.split(",") if item.strip()]


def _number(text: str, kind: Any) -> Any:
    for number in (int, float):
        if number in (kind, *get_args(kind)):  # a union such as that of a channel: a number or a name
            with contextlib.suppress(ValueError):
                return number(text)
    return text
