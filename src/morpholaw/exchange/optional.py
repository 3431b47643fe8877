"""Checks for optional packages that only one export format needs."""

from __future__ import annotations

from importlib.util import find_spec

from morpholaw.errors import InputError


def require(package: str, extra: str) -> None:
    """Raise an InputError that names the extra to install if ``package`` is missing."""
    try:
        installed = find_spec(package) is not None
    except ModuleNotFoundError:  # raised for the parent of a dotted name
        installed = False
    if not installed:
        raise InputError(
            f"This export needs the package {package}, which is not installed; "
            f"run: pip install 'napari-morpholaw[{extra}]'"
        )
