"""Packages for the BioImage Model Zoo: its own checker passes them, and they say what our classifiers say."""

from __future__ import annotations

import gc
import socket
import zipfile

import numpy as np
import pytest
import tifffile
import torch

from morpholaw.cells.normalise import Normalisation
from morpholaw.errors import InputError
from morpholaw.exchange import optional
from morpholaw.exchange.portable import portable, torchscript
from morpholaw.models.classifier import Classifier
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE
from morpholaw.sample import sample_folder
from morpholaw.store import classifiers
from morpholaw.study import Study


@pytest.fixture(scope="module", autouse=True)
def frozen():
    """The zoo's checker collects garbage six times a model, most of it through what other tests have imported."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def offline(monkeypatch):
    """No way out: what wants the network fails."""

    def refuse(*_, **__):
        raise OSError("the network is not to be used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def camera(tmp_path_factory, tracked):
    """A study of crops as a 16-bit camera with an offset gave them, cells of any brightness; and those crops."""
    folder = tmp_path_factory.mktemp("camera")
    crops = np.load(sample_folder() / "labelled" / "images.npy")[::70].astype(np.float64)
    rng = np.random.default_rng(0)
    bright = rng.uniform(0.3, 3, len(crops))[:, None, None]
    raw = np.rint(420 + 9 * bright * crops + rng.normal(0, 2, crops.shape)).clip(0, 65535).astype(np.uint16)
    (folder / "raw").mkdir()
    for k, one in enumerate(raw):
        tifffile.imwrite(folder / "raw" / f"{k:03d}.tif", one)
    study = Study.create(folder / "study")
    study.import_crops(folder / "raw")
    study.load_encoder("sample")
    for name in ("scheme1", "scheme2", "scheme3", "scheme4-hinge"):
        Classifier.load(sample_folder() / "classifiers" / name).save(
            study.path / "classifiers" / name,
            classifiers.record(tracked, name).description(),
        )
    return study, raw


def predicted(package, raw):
    """What a program of the zoo gets from raw crops (n, s, s)."""
    from bioimageio.core import predict

    result = predict(model=package, inputs={"raw": raw[:, None]})
    return result.members["result"].data.to_numpy()


@pytest.mark.parametrize("scheme", [None, 1, 2, 3, 4])
def test_raw_crops_get_our_own_result_and_the_zoos_test_passes(camera, scheme, tmp_path, offline):
    from bioimageio.core import test_model

    study, raw = camera
    package = study.export("zoo", tmp_path / "m.zip", scheme=scheme, author="A. Person", licence="CC-BY-4.0")
    summary = test_model(package, devices=["cpu"])
    assert summary.status == "passed", summary.format()
    found = predicted(package, raw)
    if scheme is None:
        np.testing.assert_allclose(found, study.latents()[0], atol=0.02)
        return
    own = study.classify(scheme)["score"].to_numpy()
    assert np.ptp(own) > 1
    np.testing.assert_allclose(found[:, 0], own, rtol=0.01, atol=0.02 * np.std(own))
    assert np.mean((found[:, 0] >= 0) == (own >= 0)) == 1


def test_a_package_tells_its_grey_scale_and_no_folder_of_this_machine(camera, tmp_path):
    import yaml

    study, _ = camera
    package = study.export("zoo", tmp_path / "m.zip", scheme=4)
    with zipfile.ZipFile(package) as files:
        described = yaml.safe_load(files.read("rdf.yaml"))
        readme = files.read("README.md").decode()
        assert np.load(files.open("raw.npy")).shape == (8, 1, 64, 64)
        with zipfile.ZipFile(files.open("weights.pt")) as parts:
            assert not [p for p in parts.namelist() if b"site-packages" in parts.read(p)]
    scale = study.sets[0].normalisation
    (linear,) = [
        one["kwargs"] for one in described["inputs"][0]["preprocessing"] if one["id"] == "scale_linear"
    ]
    assert linear["gain"] * scale.background + linear["offset"] == pytest.approx(0, abs=1e-6)
    assert linear["gain"] * (scale.background + scale.scale) + linear["offset"] == pytest.approx(1)
    assert study.laws()[0].text() in readme
    assert f"{scale.background:g}" in readme
    assert "held-out cells" in readme


def test_an_even_number_of_models_and_undefined_laws_have_the_median_that_our_scores_have():
    from morpholaw.evaluation.performance import median_score

    torch.manual_seed(0)
    encoder = BetaTCVAE(latents=4, filters=(2, 2), hidden=8, size=16)
    images = torch.rand(6, 1, 16, 16)
    laws = [Law.parse(text, ["z0", "z1"]) for text in ("log(z0)", "z1", "log(z0) + 1", "log(z0 - 100)")]
    head = HeadEnsemble(4, inputs=4, hidden=(3,))
    for model in (
        Classifier.with_laws(encoder, laws, ("a", "b")),
        Classifier.with_laws(encoder, laws[-1:], ("a", "b")),
        Classifier.with_head(encoder, head, ("a", "b"), sparse=False),
    ):
        network = portable(model, 16, Normalisation(0.0, 1.0, 1.0, per="source"))
        seen = torch.round(images * 255) / 255
        with torch.no_grad():
            expected = median_score(model(seen).numpy())
            np.testing.assert_allclose(network(images)[:, 0], expected, rtol=1e-4, atol=1e-6)
        assert len(torchscript(network, images)) > 1000


class TestBadInput:
    def test_without_the_package_the_extra_is_named(self, camera, tmp_path, monkeypatch):
        monkeypatch.setattr(optional, "find_spec", lambda name: None)
        with pytest.raises(
            InputError, match=r"bioimageio.spec, which is not installed.*napari-morpholaw\[zoo\]"
        ):
            camera[0].export("zoo", tmp_path / "m.zip")
        assert not (tmp_path / "m.zip").exists()

    @pytest.mark.parametrize("wrong", [{"author": "A/B"}, {"licence": "none of these"}])
    def test_what_the_zoo_does_not_accept_is_named(self, camera, tmp_path, wrong):
        with pytest.raises(InputError, match=r"The zoo does not accept"):
            camera[0].export("zoo", tmp_path / "m.zip", **wrong)
        assert not (tmp_path / "m.zip").exists()

    def test_a_study_without_models_or_crops(self, tmp_path):
        study = Study.create(tmp_path / "s")
        with pytest.raises(InputError, match="no crops yet"):
            study.export("zoo", tmp_path / "m.zip")
        (tmp_path / "raw").mkdir()
        for k in range(2):
            tifffile.imwrite(tmp_path / "raw" / f"{k}.tif", np.arange(4096, dtype=np.uint16).reshape(64, 64))
        study.import_crops(tmp_path / "raw")
        with pytest.raises(InputError, match="no encoder yet"):
            study.export("zoo", tmp_path / "m.zip")
        with pytest.raises(InputError, match="no trained scheme2"):
            study.export("zoo", tmp_path / "m.zip", scheme=2)
        study.load_encoder("sample")
        with pytest.raises(InputError, match="at least 3 crops; there are 2"):
            study.export("zoo", tmp_path / "m.zip")
