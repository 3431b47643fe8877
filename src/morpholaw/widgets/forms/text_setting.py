"""A line of text for the settings that magicgui has no exact editor for: floats, optional values, tuples, mappings."""

from __future__ import annotations

import contextlib
import re
import types
import typing
from typing import Any, get_args, get_origin

from magicgui.widgets import LineEdit


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
