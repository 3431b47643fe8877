"""Every block of code in README and docs is run as it is shown; what cannot be run here has its options checked.

``python`` and ``console`` blocks run, page by page, in a folder of their own with small data and settings. Blocks
without a language and ``bash`` scripts name machines that a test does not have: their commands must exist.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from morpholaw import jobs
from morpholaw.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN, CHECKED, LEFT = {"python", "console"}, {"bash", ""}, {"json", "text"}


def run_console(example: Example) -> None:
    """Run a block of commands."""
    for words in commands(example.parsed):
        if words[0] == "morpholaw":
            done = CliRunner().invoke(main, words[1:])
            assert done.exit_code == 0, f"{shlex.join(words)}\n{done.output}\n{done.exception!r}"
        elif words[:3] == ["python", "-m", "morpholaw.jobs"]:
            jobs.run(jobs.Job.read(words[3]))
        else:
            check(words)


def read_json(example: Example) -> None:
    """JSON in the text is JSON; a hidden block may save it."""
    json.loads(example.parsed)
    text = str(example.parsed)
    example.namespace["save_shown"] = lambda name: Path(name).write_text(text)


SYBIL = Sybil(
    [PythonCodeBlockParser(), CodeBlockParser("console", run_console), CodeBlockParser("json", read_json)]
)


def commands(text: str) -> list[list[str]]:
    """The words of each command, lines that go on joined."""
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_runs(page, request):
    examples = list(SYBIL.parse(page).examples())
    shown = [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in RUN]
    assert len(shown) <= len(examples)
    if not examples:
        return
    for name, value in request.getfixturevalue("sandbox").items():
        examples[0].namespace[name] = value
    with contextlib.redirect_stdout(io.StringIO()):
        for example in examples:
            example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_need_other_machines_exist(page):
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        assert language in RUN | CHECKED | LEFT, f"{page} has a block of {language}; say whether it is run"
        if language in CHECKED:
            for line in text.replace("\\\n", " ").splitlines():
                if line.lstrip().startswith(
                    ("morpholaw ", "torchrun ", "srun torchrun ", "pip ", "python benchmarks")
                ):
                    check(shlex.split(line, comments=True))


def check(words: list[str]) -> None:
    """A command that is not run here must exist, with its options."""
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), words
    elif words[0] == "morpholaw":
        check_morpholaw(words[1:])
    elif "torchrun" in words:
        module = words.index("-m") + 1
        assert words[module] in ("morpholaw.jobs", "morpholaw.cli"), words
        if words[module] == "morpholaw.cli":
            check_morpholaw(words[module + 1 :])
    elif words[0] == "pip":
        check_requirements([word for word in words[2:] if not word.startswith("-")])
    elif words[0] == "python":
        script = (ROOT / words[1]).read_text(encoding="utf-8")
        assert all(word in script for word in words[2:] if word.startswith("--")), words
    else:
        pytest.fail(f"nothing checks {shlex.join(words)}")


def check_morpholaw(words: list[str]) -> None:
    """The command and its options are there; values are not looked at."""
    command = main.commands[words[0]]
    context = click.Context(command, info_name=words[0])
    command.make_parser(context).parse_args(words[1:])


def check_requirements(names: list[str]) -> None:
    """Packages to install are this one, with an extra that it has, or one that this one names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needs = [*project["dependencies"], *(need for extra in extras.values() for need in extra)]
    named = {re.split(r"[\[<>=!; ]", need)[0].lower() for need in needs}
    for name in names:
        base, _, extra = name.strip("'\"").partition("[")
        assert base.lower() in named | {"napari-morpholaw", "."}, name
        assert not extra or extra.rstrip("]") in extras, name
