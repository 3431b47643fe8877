"""Checks whether Julia is ready for PySR, without importing PySR.

Importing pysr or juliacall resolves Julia, which may access the internet, download for minutes or hang behind a
firewall. Therefore juliapkg's record of its last success is read instead.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from pathlib import Path

from morpholaw.training.symbolic.engine import Availability

_RAN = "morpholaw-pysr-ran"


def julia_ready() -> Availability:
    """Return whether juliapkg's record has Julia and SymbolicRegression.jl, which is necessary but not sufficient."""
    for package in ("pysr", "juliacall", "juliapkg"):
        if importlib.util.find_spec(package) is None:
            return Availability(False, f"the package {package} is not installed")
    executable, project = (os.environ.get(f"PYTHON_JULIACALL_{what}") for what in ("EXE", "PROJECT"))
    if bool(executable) != bool(project):
        return Availability(False, "PYTHON_JULIACALL_EXE and PYTHON_JULIACALL_PROJECT must be set together")
    if executable and project:
        usable = os.access(executable, os.X_OK) and Path(executable).is_file() and Path(project).is_dir()
        variables = "PYTHON_JULIACALL_EXE and PYTHON_JULIACALL_PROJECT"
        return Availability(usable, f"{variables} name {'' if usable else 'no usable '}Julia and project")
    return _from_record()


def seen_to_run() -> bool:
    """Return whether a PySR search has run to its end in this environment."""
    place = _place()
    return place is not None and place.is_file()


def note_run() -> None:
    """Record that PySR ran in this environment, if the record can be written."""
    if (place := _place()) is not None:
        with contextlib.suppress(OSError):
            place.touch()


def _place() -> Path | None:
    """Return the path of the record of a successful run, inside the Julia project to which it applies."""
    if project := os.environ.get("PYTHON_JULIACALL_PROJECT"):
        return Path(project) / _RAN
    try:
        from juliapkg.state import STATE

        return Path(STATE["meta"]).parent / _RAN
    except Exception:  # juliapkg is missing or another version
        return None


def _from_record() -> Availability:
    try:
        from juliapkg.state import STATE  # reads the environment, resolves nothing

        record = json.loads(Path(STATE["meta"]).read_text(encoding="utf-8"))
        executable, packages = record["executable"], {package["name"] for package in record["pkgs"]}
    except Exception:  # no record, or that of another version: Julia is not known to be ready
        return Availability(False, "Julia has not been set up for this environment", can_set_up=True)
    if not isinstance(executable, str) or not Path(executable).is_file():
        return Availability(False, "the Julia installation that was set up is missing", can_set_up=True)
    if "SymbolicRegression" not in packages:
        return Availability(False, "SymbolicRegression.jl has not been set up", can_set_up=True)
    return Availability(True, f"Julia {record.get('version', '')} is set up")
