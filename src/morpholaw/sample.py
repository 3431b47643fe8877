"""Location of the shipped sample data, in a wheel or an editable install."""

from __future__ import annotations

from pathlib import Path

from morpholaw.errors import InputError


def sample_folder() -> Path:
    """Return the folder with the simulated movie, its labelled crops and the trained models."""
    here = Path(__file__).resolve()
    for candidate in (here.parents[1] / "morpholaw_data" / "sample_data", here.parents[2] / "sample_data"):
        if (candidate / "README.md").is_file():
            return candidate
    raise InputError("The sample data is not installed; expected the folder sample_data beside the package.")
