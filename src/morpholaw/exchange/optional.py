"""Packages that only one format needs, asked for when it is."""

from __future__ import annotations

from importlib.util import find_spec

from morpholaw.errors import InputError


def require(package: str, extra: str) -> None:
    """Raise InputError, which names the extra to install, where ``package`` is not there."""
    try:
        installed = find_spec(package) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        installed = False
    if not installed:
        raise InputError(
            f"This export needs the package {package}, which is not installed; "
            f"run: pip install 'napari-morpholaw[{extra}]'"
        )
