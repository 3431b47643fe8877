"""What runs on a GPU gives what the processor gives; skipped where there is none."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig, EncoderConfig
from morpholaw.evaluation.scoring import encode_means
from morpholaw.events import Monitor
from morpholaw.interpretation.attack import AttackOptions, attack_curve
from morpholaw.interpretation.boundary import member_score
from morpholaw.interpretation.traversal import decode
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job, run
from morpholaw.models.classifier import Classifier
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.vae import BetaTCVAE
from morpholaw.study import Study
from morpholaw.training.cnn import train_cnn
from morpholaw.training.encoder import EncoderTraining, encode, train_encoder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


@pytest.fixture(scope="module")
def cells():
    """128 interphase and 128 metaphase crops, uint8, and their targets."""
    images, table = simulate_crops(phases={"interphase": 128, "metaphase": 128}, seed=3)
    return images, (table["label"] == "metaphase").to_numpy().astype(np.int64)


def settings(device, **changed):
    return EncoderConfig(
        device=device, precision="float32", batch_size=64, epochs=1, epoch_crops=1024
    ).model_copy(update=changed)


@pytest.mark.parametrize("changed", [{}, {"symmetry": False, "texture": 0.0}, {"sampling": "weighted"}])
def test_steps_are_those_of_the_processor(cells, changed):
    losses = {}
    for device in ("cpu", "cuda"):
        training = EncoderTraining(cells[0], settings(device, **changed))
        batches = training.batches()
        losses[device] = [
            {name: float(value) for name, value in training.advance(next(batches)).items()} for _ in range(8)
        ]
    for there, here in zip(losses["cuda"], losses["cpu"], strict=True):
        assert there == pytest.approx(here, rel=0.02, abs=0.02)


@pytest.mark.filterwarnings("error:Steps cannot be recorded")
def test_recorded_steps_go_where_the_steps_themselves_go(cells):
    """Sixty steps, in which each of the eight orientations is recorded."""
    ends = []
    for recorded in (True, False):
        training = EncoderTraining(cells[0], settings("cuda", epoch_crops=8192))
        assert training.recorded is not None
        if not recorded:
            training.recorded.record = None
        batches = training.batches()
        losses = [training.advance(next(batches)) for _ in range(60)]
        ends.append({name: float(value) for name, value in losses[-1].items()})
        assert len(training.recorded._recorded) == (8 if recorded else 0)
    assert ends[0] == pytest.approx(ends[1], rel=0.05, abs=0.05)


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_an_encoder_learns_and_comes_back_to_the_processor(cells, precision):
    config = settings("cuda", precision=precision, epoch_crops=20_000)
    model, history = train_encoder(cells[0], config)
    assert history["reconstruction"][-1] < 0.5 * history["reconstruction"][0]
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


def test_a_training_stopped_on_the_gpu_goes_on_there_and_on_the_processor(cells, tmp_path):
    asked = iter([False] * 6 + [True] * 1000)
    train_encoder(
        cells[0], settings("cuda"), checkpoint=tmp_path, monitor=Monitor(should_stop=lambda: next(asked))
    )
    shutil.copytree(tmp_path, tmp_path / "again")
    whole = train_encoder(cells[0], settings("cpu"))[1]
    for device, folder in (("cpu", tmp_path), ("cuda", tmp_path / "again")):
        _, history = train_encoder(cells[0], settings(device), checkpoint=folder, resume=True)
        assert history["step"][-1] == whole["step"][-1] == 16
        assert history["loss"][-1] == pytest.approx(whole["loss"][-1], rel=0.05)


def test_cnns_learn_the_classes(cells):
    images, targets = cells
    config = ClassifierConfig(device="cuda", models=3, epochs=12)
    cnn, head = train_cnn(np.tile(images, (4, 1, 1)), np.tile(targets, 4), config)
    classifier = Classifier.dense_cnn(cnn, head, ("interphase", "metaphase")).eval()
    with torch.no_grad():
        scores = classifier.score_images(torch.from_numpy(images).unsqueeze(1).float() / 255)
    assert float(((scores >= 0).numpy() == (targets > 0)).mean()) > 0.95


def test_encoding_decoding_attacks_and_boundaries_are_those_of_the_processor(cells):
    images, targets = cells
    torch.manual_seed(0)
    classifier = Classifier.with_head(
        BetaTCVAE(), HeadEnsemble(3), ("interphase", "metaphase"), sparse=False
    ).eval()
    found = {}
    for device in ("cpu", "cuda"):
        classifier.to(device)
        latents = encode(classifier.encoder, images)[0]
        found[device] = {
            "latents": latents,
            "means": encode_means(classifier.encoder, images).cpu().numpy(),
            "pictures": decode(classifier.encoder, latents[:8]),
            "score": member_score(classifier, 1)(latents),
            "image attack": attack_curve(classifier, images, targets, [0, 0.1]).correct.mean(2),
            "latent attack": attack_curve(
                classifier, latents, targets, [0, 0.1], AttackOptions("latent")
            ).correct.mean(2),
        }
    for name, here in found["cpu"].items():
        np.testing.assert_allclose(found["cuda"][name], here, err_msg=name, rtol=0.02, atol=0.02)


@pytest.fixture
def study(tmp_path):
    made = Study.create(tmp_path / "study")
    images, table = simulate_crops(phases={"interphase": 120, "metaphase": 80}, seed=1)
    CropSet.write(made.path / "crops" / "simulated", images, table, CropOrigin(kind="simulated"))
    return made


def test_a_study_trains_on_the_gpu_where_there_is_one(study):
    said = []
    run(Job("train_encoder", str(study.path), {"epochs": 1, "epoch_crops": 1024}), said.append)
    assert any("CUDA" in getattr(event, "text", "") for event in said)
    run(Job("train_classifier", str(study.path), {"models": 2, "epochs": 2}, {"scheme": 1}))
    run(Job("train_classifier", str(study.path), {"models": 2, "epochs": 5}, {"scheme": 2}))
    assert len(study.table1()) == 2


def test_a_step_gives_the_memory_of_the_gpu_back_when_it_ends(study):
    free = torch.cuda.mem_get_info()[0]
    process = JobProcess(Job("train_encoder", str(study.path), {"epochs": 1, "epoch_crops": 1024}))
    *_, last = process.events()
    process.close()
    assert last.values["complete"]
    assert torch.cuda.mem_get_info()[0] > free - (64 << 20)
