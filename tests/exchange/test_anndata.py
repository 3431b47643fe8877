"""Cells x latents as .h5ad: by the letter of the published layout, and as anndata reads it where that is installed."""

import shutil

import h5py
import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.study import Study


@pytest.fixture(scope="module")
def written(tracked, tmp_path_factory):
    """A study with a named latent and a labelled cell, and its .h5ad."""
    folder = tmp_path_factory.mktemp("anndata")
    study = Study(shutil.copytree(tracked.path, folder / "study"))
    study.name_latent(3, "size")
    study.annotations.set_label("movie", 0, "metaphase")
    return study, study.export("anndata", folder / "cells.h5ad")


def column(group, name):
    """A column of a data frame on disk, as Python values."""
    node = group[name]
    kind = node.attrs["encoding-type"]
    if kind == "categorical":
        names = node["categories"].asstr()[...]
        return [names[code] for code in node["codes"][...]]
    if kind == "nullable-integer":
        return [
            None if gone else int(v) for v, gone in zip(node["values"][...], node["mask"][...], strict=True)
        ]
    return (node.asstr() if kind == "string-array" else node)[...].tolist()


def test_every_part_is_laid_out_and_marked_as_published(written):
    study, path = written
    with h5py.File(path) as file:
        assert (file.attrs["encoding-type"], file.attrs["encoding-version"]) == ("anndata", "0.1.0")
        assert set(file) == {"X", "obs", "var", "layers", "obsm", "obsp", "uns", "varm", "varp"}
        file.visititems(lambda name, node: node.attrs["encoding-version"])  # KeyError where one has no mark
        np.testing.assert_array_equal(file["X"], study.latents()[0])
        np.testing.assert_array_equal(file["layers/log_variance"], study.latents()[1])
        obs, var = file["obs"], file["var"]
        assert set(obs) - {"_index"} == set(obs.attrs["column-order"])
        assert column(obs, "_index")[:2] == ["movie/0", "movie/1"]
        assert column(obs, "track_id") == study.crops.cells["track_id"].tolist()
        assert column(obs, "label")[:2] == ["metaphase", ""]
        np.testing.assert_allclose(column(obs, "score_scheme4-hinge"), study.classify(4)["score"], rtol=1e-6)
        assert column(obs, "class_scheme1") == study.classify(1)["class"].tolist()
        assert column(var, "_index")[3] == "z3"
        assert column(var, "name")[2:4] == ["", "size"]
        np.testing.assert_array_equal(file["obsm/spatial"][:, 0], study.crops.cells["x"])
        assert file["uns/study"].asstr()[()] == "study"


def test_anndata_reads_it(written):
    anndata = pytest.importorskip("anndata", reason="anndata bars pandas 3 on Python 3.11")
    study, path = written
    cells = anndata.read_h5ad(path)
    assert cells.shape == study.latents()[0].shape
    np.testing.assert_array_equal(cells.X, study.latents()[0])
    assert cells.obs["track_id"].tolist() == study.crops.cells["track_id"].tolist()
    assert cells.obs["class_scheme1"].tolist() == study.classify(1)["class"].tolist()
    assert cells.var["name"]["z3"] == "size"
    assert cells[cells.obs["score_scheme2"] >= 0].n_obs == (study.classify(2)["score"] >= 0).sum()


def test_one_scheme_only_and_cells_without_tracks(untracked, tmp_path):
    with h5py.File(untracked.export("anndata", tmp_path / "c.h5ad", scheme=3)) as file:
        assert [name for name in file["obs"] if name.startswith("score")] == ["score_scheme3"]
        assert column(file["obs"], "track_id") == [None] * 10


def test_what_is_missing_is_said(tmp_path):
    study = Study.create(tmp_path / "s")
    with pytest.raises(InputError, match="no crops yet"):
        study.export("anndata", tmp_path / "c.h5ad")
