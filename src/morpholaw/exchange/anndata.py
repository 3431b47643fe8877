"""Export of tables such as cells x latents to AnnData's .h5ad format, for scanpy and related packages.

The file is written with h5py according to AnnData's published on-disk format, so the package anndata is not needed. On
some Python versions it excludes the newest pandas.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morpholaw.cells.files import atomic_file

if TYPE_CHECKING:
    import h5py


def write_anndata(
    path: str | os.PathLike[str],
    values: np.ndarray,
    obs: pd.DataFrame,
    var: pd.DataFrame,
    layers: Mapping[str, np.ndarray] | None = None,
    about: Mapping[str, str | pd.DataFrame] | None = None,
) -> Path:
    """Write an AnnData file atomically.

    Parameters
    ----------
    path : path
        File to write.
    values : ndarray
        X, float32 (cells, columns), such as latents.
    obs, var : DataFrame
        One row per cell and one row per column of X, named by their indices. Text columns become categoricals, and
        integers with missing values become nullable integers.
    layers : mapping of str to ndarray, optional
        Further arrays of the shape of X, such as log-variances.
    about : mapping of str to str or DataFrame, optional
        Entries of ``uns``: versions, settings and further tables.

    Returns
    -------
    Path
    """
    import h5py

    with atomic_file(path) as stream, h5py.File(stream.name, "w") as file:
        _mark(file, "anndata", "0.1.0")
        _array(file, "X", values)
        _frame(file, "obs", obs)
        _frame(file, "var", var)
        groups = ("layers", "obsm", "obsp", "uns", "varm", "varp")
        containers = {name: _mark(file.create_group(name), "dict", "0.1.0") for name in groups}
        for name, layer in (layers or {}).items():
            _array(containers["layers"], name, layer)
        if {"x", "y"} <= set(obs.columns):
            _array(
                containers["obsm"], "spatial", obs[["x", "y"]].to_numpy(np.float64)
            )  # the name that squidpy looks for
        for name, content in (about or {}).items():
            if isinstance(content, pd.DataFrame):
                _frame(containers["uns"], name, content)
            else:
                containers["uns"][name] = content
                _mark(containers["uns"][name], "string", "0.2.0")
    return Path(path)


def _mark(node: Any, kind: str, version: str) -> Any:
    node.attrs["encoding-type"], node.attrs["encoding-version"] = kind, version
    return node


def _array(group: h5py.Group, name: str, values: np.ndarray) -> None:
    _mark(group.create_dataset(name, data=np.ascontiguousarray(values)), "array", "0.2.0")


def _texts(group: h5py.Group, name: str, values: Sequence[str]) -> None:
    import h5py

    data = group.create_dataset(name, data=np.array(list(values), object), dtype=h5py.string_dtype())
    _mark(data, "string-array", "0.2.0")


def _frame(place: h5py.Group, name: str, frame: pd.DataFrame) -> None:
    group = _mark(place.create_group(name), "dataframe", "0.2.0")
    _texts(group, "_index", frame.index.astype(str))
    group.attrs["_index"] = "_index"
    group.attrs["column-order"] = np.array(list(frame.columns), object)
    for column in frame.columns:
        _column(group, str(column), frame[column])


def _column(group: h5py.Group, name: str, values: pd.Series) -> None:
    if isinstance(values.dtype, pd.Int64Dtype):
        encoded = _mark(group.create_group(name), "nullable-integer", "0.1.0")
        _array(encoded, "values", values.fillna(0).to_numpy(np.int64))
        _array(encoded, "mask", values.isna().to_numpy(bool))
    elif pd.api.types.is_numeric_dtype(values):  # bool counts as numeric
        _array(group, name, values.to_numpy())
    else:
        kinds = pd.Categorical(values.astype(str))
        encoded = _mark(group.create_group(name), "categorical", "0.2.0")
        encoded.attrs["ordered"] = False
        _array(encoded, "codes", kinds.codes)
        _texts(encoded, "categories", kinds.categories)
