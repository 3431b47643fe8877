"""A Markdown extension that generates the tables of settings and commands from the program."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import click
from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor

from morpholaw.cli import SECTIONS, main
from morpholaw.config import SimulateConfig, StepConfig
from morpholaw.jobs import STEPS


class ProgramTables(Extension):
    """Replaces the comments ``<!-- settings -->`` and ``<!-- commands -->`` by the tables."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(_Tables(md), "program_tables", priority=50)  # before anything else


class _Tables(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        tables = {"<!-- settings -->": settings, "<!-- commands -->": commands}
        return [row for line in lines for row in (tables[line]().splitlines() if line in tables else [line])]


def makeExtension(**options: Any) -> ProgramTables:
    """Return the extension; Markdown calls this function by name."""
    return ProgramTables(**options)


def settings() -> str:
    """Return a section with a table for the settings of each step."""
    models = dict.fromkeys([SimulateConfig, *STEPS.values()])
    return "\n\n".join(_section(kind) for kind in models if kind is not None)


def _section(kind: type[StepConfig]) -> str:
    rows = ["| setting | default | description |", "| --- | --- | --- |"]
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        rows.append(f"| `{name}` | {_cell(default)} | {_text(field.description or '')} |")
    return f"## {kind.__name__}\n\n{(kind.__doc__ or '').strip().splitlines()[0]}\n\n" + "\n".join(rows)


def commands() -> str:
    """Return every command with its options, in the order in which they are used."""
    context = click.Context(main, info_name="morpholaw")
    parts = []
    for heading, members in SECTIONS.items():
        parts += [f"## {heading}", *(_command(context, command) for command in members)]
    return "\n\n".join(parts)


def _command(parent: click.Context, command: click.Command) -> str:
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    rows = [
        option.get_help_record(context) or ("", "")
        for option in command.params
        if isinstance(option, click.Option)
    ]
    table = [
        "| option | description |",
        "| --- | --- |",
        *(f"| <code>{_text(a)}</code> | {_text(b)} |" for a, b in rows),
    ]
    words = "\n\n".join(map(_paragraph, cleandoc(command.help or "").split("\n\n")))
    return f"### {command.name}\n\n{words}\n\n```text\n{usage}\n```\n\n" + ("\n".join(table) if rows else "")


def _paragraph(words: str) -> str:
    """Return a paragraph of a command's help; click marks one that keeps its lines with a backspace."""
    if words.startswith("\b"):
        return f"```text\n{words[1:].strip()}\n```"
    return _text(words)


def _cell(value: Any) -> str:
    return "empty" if value in (None, "", (), {}) else f"`{value}`"


def _text(words: str) -> str:
    return " ".join(words.split()).replace("<", "&lt;").replace("|", "&#124;")
