"""A Markdown extension that renders formulas as MathML when the site is built, so pages need no script or network."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


class MathML(Extension):
    """Renders every formula that the arithmatex extension marked."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.postprocessors.register(_Formulas(md), "mathml", priority=0)  # after all others


class _Formulas(Postprocessor):
    def run(self, text: str) -> str:
        return _FORMULA.sub(_mathml, text)


def makeExtension(**options: Any) -> MathML:
    """Return the extension; Markdown calls this function by name."""
    return MathML(**options)


def _mathml(found: re.Match[str]) -> str:
    block = found[2] == "["
    formula = convert(unescape(found[3]).strip(), display="block" if block else "inline")
    return f'<div class="formula">{formula}</div>' if block else formula
