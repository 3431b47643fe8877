"""Write dist/recipe.yaml, the recipe for conda-forge, from pyproject.toml and the source archive, and check it.

It is made and not kept, so that it names what pyproject.toml names. To publish: once the archive is on PyPI, copy it
into a pull request to conda-forge/staged-recipes; later releases are updated there by conda-forge's bot.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from pathlib import Path
from typing import Any

import rattler_build
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch"}
"""Packages that conda-forge has under another name."""


def main() -> None:
    """Write the recipe for the archive in dist/."""
    (archive,) = (ROOT / "dist").glob("*.tar.gz")
    out = ROOT / "dist" / "recipe.yaml"
    out.write_text(yaml.safe_dump(recipe(archive), sort_keys=False, width=120), encoding="utf-8")
    try:
        rendered = rattler_build.Stage0Recipe.from_file(str(out)).render()
    except rattler_build.RattlerBuildError as error:
        sys.exit(f"{out}: {error}")
    print(f"{out} is a recipe of {len(rendered)} package.")


def recipe(archive: Path) -> dict[str, Any]:
    """Return the recipe of the package in ``archive``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["name"]
    version = archive.name.removesuffix(".tar.gz").rpartition("-")[2]
    source = f"https://pypi.org/packages/source/{name[0]}/{name}/{archive.name}"
    return {
        "schema_version": 1,
        "context": {"version": version, "python_min": project["requires-python"].removeprefix(">=")},
        "package": {"name": name, "version": "${{ version }}"},
        "source": {
            "url": source.replace(version, "${{ version }}"),
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        },
        "build": {
            "number": 0,
            "noarch": "python",
            "script": "${{ PYTHON }} -m pip install . -vv --no-deps --no-build-isolation",
            "python": {"entry_points": [f"{key} = {value}" for key, value in project["scripts"].items()]},
        },
        "requirements": {
            "host": ["python ${{ python_min }}.*", "pip", "hatchling >=1.27"],
            "run": ["python >=${{ python_min }}", *conda_requirements(project["dependencies"])],
        },
        "tests": [
            {"python": {"imports": ["morpholaw", "morpholaw.api"], "python_version": "${{ python_min }}.*"}},
            {"script": ["morpholaw --help"]},
        ],
        "about": {
            "homepage": project["urls"]["Source"],
            "summary": project["description"],
            "license": project["license"],
            "license_file": project["license-files"],
            "documentation": project["urls"]["Documentation"],
            "repository": project["urls"]["Source"],
        },
        "extra": {"recipe-maintainers": [project["urls"]["Source"].split("/")[3]]},
    }


def conda_requirements(requirements: list[str]) -> list[str]:
    """Return requirements as conda writes them."""
    parsed = [Requirement(text) for text in requirements]
    return [f"{CONDA_NAMES.get(one.name, one.name)} {one.specifier}".strip() for one in parsed]


if __name__ == "__main__":
    main()
