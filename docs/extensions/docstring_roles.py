"""An extension of griffe: docstrings name things in Sphinx's way, which Markdown would show with its colons."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")


class Roles(griffe.Extension):
    """Shows what a role names as code."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Show a method of a study as it is called: without the study."""
        if func.path.startswith("morpholaw.study.methods.") and "study" in func.parameters:
            del func.parameters["study"]
