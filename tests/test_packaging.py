"""What is installed: a core for servers, extras for the window and for PySR, addresses that the owner fills in."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WINDOW = ("napari", "magicgui", "qtpy", "superqt", "npe2", "pysr", "juliapkg", "juliacall")


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
    assert found >= {"napari", "magicgui", "qtpy", "superqt", "npe2", "pysr", "napari[pyqt6]"}


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


def test_the_locks_hold_what_the_project_asks_for():
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    (own,) = [package for package in locked if package["name"] == PROJECT["name"]]
    locked = {
        (one["name"], SpecifierSet(one.get("specifier", ""))) for one in own["metadata"]["requires-dist"]
    }
    extras = PROJECT["optional-dependencies"]
    asked = [Requirement(text) for text in [*PROJECT["dependencies"], *chain(*extras.values())]]
    needed = {(canonicalize_name(one.name), one.specifier) for one in asked if one.name != PROJECT["name"]}
    assert locked == needed, "run make lock"
    pinned = names((ROOT / "requirements.lock").read_text().split())
    assert names([*PROJECT["dependencies"], *extras["test"]]) - {PROJECT["name"]} <= pinned | {"anndata"}


@pytest.mark.parametrize("system", ["manylinux", "macosx", "win_amd64"])
def test_torch_and_qt_are_locked_for_every_python_and_system(system):
    wheels = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        wheels.setdefault(package["name"], []).extend(wheel["url"] for wheel in package.get("wheels", ()))
    for version in ("cp311", "cp312", "cp313", "cp314"):
        assert any(version in url and system in url for url in wheels["torch"])
    assert any("cp310-abi3" in url and system in url for url in wheels["pyqt6"])


def test_an_index_shows_links_and_pictures_that_lead_somewhere():
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))
    text = hook["absolute"]((ROOT / "README.md").read_text(encoding="utf-8"), "https://example.org/it")
    assert "](https://example.org/it/raw/main/docs/images/movie_to_law.gif)" in text
    assert "](https://example.org/it/blob/main/docs/results.md#data)" in text
    assert not re.search(r"\]\((?!https?:|#)", text)


def test_the_project_says_where_it_is_published():
    if any("OWNER" in address for address in PROJECT["urls"].values()):
        pytest.skip("the owner has not filled in the account in [project.urls] of pyproject.toml yet")
    assert all(address.startswith("https://") for address in PROJECT["urls"].values())
