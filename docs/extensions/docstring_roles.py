"""A griffe extension that shows Sphinx roles in docstrings as code; Markdown would show them with their colons."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")


class Roles(griffe.Extension):
    """Replaces each role by its target, as code."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Remove the parameter ``study`` from the methods of a study, as callers do not pass it."""
        if func.path.startswith("morpholaw.study.methods.") and "study" in func.parameters:
            del func.parameters["study"]
