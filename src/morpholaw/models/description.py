"""The description of a saved model, ``model.json``, read without torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from morpholaw.cells.files import read_json
from morpholaw.errors import InputError

SCHEMA = 1
"""Version of the layout; a bundle of a newer one is refused, older ones are read."""

_WEIGHTS_NAME = re.compile(r"weights-[0-9a-f]{16}\.safetensors")


def read_description(folder: Path | str, kind: str | None = None) -> dict[str, Any]:
    """Read what ``model.json`` says of the model in ``folder``.

    Parameters
    ----------
    folder : path
        The bundle's folder.
    kind : str, optional
        The kind of model that is expected, e.g. "classifier".

    Returns
    -------
    dict
        Plain JSON values. The name of the weights is that of a file in the folder; the other values are unchecked.

    Raises
    ------
    InputError
        When there is no model, or it is of another kind, of a newer layout, or names weights outside its folder.
    """
    folder = Path(folder)
    description = read_json(folder / "model.json")
    if not isinstance(description, dict) or "weights" not in description:
        raise InputError(f"{folder / 'model.json'} does not describe a model; expected a Morpholaw bundle.")
    schema = description.get("schema")
    if not isinstance(schema, int):
        raise InputError(f"{folder / 'model.json'} has no layout number; expected a Morpholaw bundle.")
    if schema > SCHEMA:
        raise InputError(
            f"The model in {folder} has layout {schema!r}, made by a newer version of Morpholaw; "
            f"this version reads layouts up to {SCHEMA}."
        )
    if kind is not None and description.get("kind") != kind:
        raise InputError(f"The model in {folder} is of kind {description.get('kind')!r}; expected {kind!r}.")
    name = description["weights"]
    if not isinstance(name, str) or not _WEIGHTS_NAME.fullmatch(name):
        raise InputError(
            f"The model in {folder} names the weights {name!r}; expected a file in its own folder."
        )
    return description
