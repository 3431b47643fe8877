"""What is installed: a core for servers, extras for the window and for PySR, addresses that the owner fills in."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WINDOW = ("napari", "magicgui", "qtpy", "superqt", "psygnal", "pysr", "juliapkg", "juliacall")


def names(requirements):
    return {Requirement(text).name.lower() for text in requirements}


def test_a_server_gets_neither_a_window_nor_julia():
    assert names(PROJECT["dependencies"]).isdisjoint(WINDOW)


def test_all_brings_the_window_with_qt_and_pysr():
    found, todo = set(), ["all"]
    while todo:
        for text in PROJECT["optional-dependencies"][todo.pop()]:
            requirement = Requirement(text)
            if requirement.name == PROJECT["name"]:
                todo += requirement.extras
            found |= {requirement.name, *(f"napari[{extra}]" for extra in requirement.extras)}
    assert found >= {"napari", "magicgui", "qtpy", "superqt", "psygnal", "pysr", "napari[pyqt6]"}


def test_the_library_and_the_command_work_without_napari_and_pysr(trained_study):
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({WINDOW!r}))\n"  # None stands for a module that is not there
        "import morpholaw.api, morpholaw.jobs\n"
        "from morpholaw import Study\n"
        "from morpholaw.cli import main\n"
        f"study = Study({str(trained_study.path)!r})\n"
        "assert len(study.classify(3))\n"
        f"main(['info', '--study', {str(trained_study.path)!r}], standalone_mode=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_project_says_where_it_is_published():
    if any("OWNER" in address for address in PROJECT["urls"].values()):
        pytest.skip("the owner has not filled in the account in [project.urls] of pyproject.toml yet")
    assert all(address.startswith("https://") for address in PROJECT["urls"].values())
