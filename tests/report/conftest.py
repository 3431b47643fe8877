"""A tiny study with every result, trained for seconds: its numbers mean nothing, its shape is real."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.evaluation.performance import measure
from morpholaw.models.classifier import Classifier
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store import classifiers as store_classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.provenance import Provenance
from morpholaw.study import Study

CONFIG = ClassifierConfig(models=2)
LAWS = {
    "hinge": (
        "z2*(square(z0) + square(z1)) - exp(z3) + 0.123456",
        "square(z0) - 0.512345*z1 + 0.01",
        "z2 + 0.0987654",
    ),
    "mse": ("square(z1) - exp(z3)",),
}


def simulated(path: Path, classes: tuple[str, str] = ("interphase", "metaphase")) -> Study:
    """A study with 240 labelled and 40 unlabelled crops."""
    study = Study.create(path, classes=classes)
    images, cells = simulate_crops(phases={"interphase": 120, "metaphase": 120}, seed=1)
    cells["label"] = cells["label"].map(dict(zip(("interphase", "metaphase"), classes, strict=True)))
    CropSet.write(path / "crops" / "labelled", images, cells, CropOrigin(kind="simulated", pixel_size=0.333))
    images, cells = simulate_crops(40, seed=2)
    cells["label"] = ""
    CropSet.write(
        path / "crops" / "unlabelled", images, cells, CropOrigin(kind="simulated", pixel_size=0.333)
    )
    return study


def sparse_head(latents: int) -> HeadEnsemble:
    """Two networks that read z0, z1 and z3."""
    head = HeadEnsemble(2, latents, hidden=(4, 4), seeds=(0, 1))
    for mask in head.masks:
        mask[:] = False
    head.masks[0][:, (0, 1, 3), (0, 1, 1)] = True
    head.masks[1][:, (0, 1), (2, 2)] = True
    head.masks[2][:, 2, 0] = True
    return head


def classifiers(encoder: BetaTCVAE, classes: tuple[str, str]) -> dict[str, Classifier]:
    """One of each scheme, untrained."""
    torch.manual_seed(0)
    made = {
        "scheme1": Classifier.dense_cnn(
            CNNEnsemble(2), HeadEnsemble(2, normalise=True, seeds=(0, 1)), classes
        ),
        "scheme2": Classifier.with_head(
            encoder, HeadEnsemble(2, encoder.latents, seeds=(0, 1)), classes, sparse=False
        ),
        "scheme3": Classifier.with_head(encoder, sparse_head(encoder.latents), classes, sparse=True),
    }
    names = [f"z{k}" for k in range(4)]
    for loss, texts in LAWS.items():
        laws = [Law.parse(text, names, {"accuracy": 0.9, "engine": "embedded", "seed": 3}) for text in texts]
        made[f"scheme4-{loss}"] = Classifier.with_laws(encoder, laws, classes)
    return made


def complete(
    path: Path, classes: tuple[str, str] = ("interphase", "metaphase"), encoder: Path | None = None
) -> Study:
    """A study with an encoder, trained or a copy of the folder ``encoder``, and all classifiers."""
    study = simulated(path, classes)
    if encoder is None:
        study.train_encoder(
            epochs=1, epoch_crops=512, batch_size=64, latents=6, threads=1, precision="float32"
        )
    else:
        shutil.copytree(encoder, path / "encoder", dirs_exist_ok=True)
    config = CONFIG.model_copy(update={"classes": classes})
    for name, classifier in classifiers(study.encoder, classes).items():
        study.add_classifier(classifier, name, config)
    keep_class_laws(study)
    return study


def keep_class_laws(study: Study) -> None:
    """Laws of three classes, measured on none of the study's cells."""
    texts = {"interphase": "1 - z0", "metaphase": "square(z1) - 0.25", "anaphase": "z0 - exp(z1)"}
    counts = np.array([[20, 2, 0], [3, 14, 1], [1, 1, 8]])
    targets, predicted = np.repeat(np.indices((3, 3)).reshape(2, 9), counts.ravel(), axis=1)
    measured = measure(np.eye(3)[predicted][None], targets, 4)
    evaluation = Evaluation.of(measured, "0123456789ab", 200, np.arange(len(targets)))
    evaluation = evaluation.model_copy(update={"undefined": 2})
    laws = [Law.parse(text, ["z0", "z1"]) for text in texts.values()]
    classifier = Classifier.with_laws(study.encoder, laws, tuple(texts))
    record = ClassifierRecord.of(
        classifier,
        "phases",
        evaluation,
        CONFIG,
        Provenance.now("no data"),
        law_config=LawConfig(loss="hinge"),
    )
    store_classifiers.save(study, classifier, record)


VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and keeps what a test asks about."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "svg" not in self.open:
            self.words.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)

    def count(self, tag: str) -> int:
        return sum(seen == tag for seen, _ in self.seen)

    @property
    def prose(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="session")
def study(made_once: Callable[..., Path]) -> Study:
    """A study with every result; tests leave it as it is."""
    return Study(made_once("complete", lambda folder: complete(folder / "mitosis")) / "mitosis")


@pytest.fixture(scope="session")
def simulated_study() -> Callable[..., Study]:
    """Makes a study with crops and labels alone."""
    return simulated


@pytest.fixture(scope="session")
def complete_study(study: Study) -> Callable[..., Study]:
    """Makes a study with every result, and with the encoder of ``study``."""
    return partial(complete, encoder=study.path / "encoder")


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    """Reads a page and checks that its tags are closed in order."""
    return Page
