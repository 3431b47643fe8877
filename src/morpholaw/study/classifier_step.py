"""Schemes 1-4 of a study: train ten models of one, measure them on the held-out groups, keep them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from morpholaw.cells.files import described, fingerprint, read_json
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.performance import Performance, measure
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import FeatureTable
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store.classifiers import kept_by_scheme_3, load, name_of
from morpholaw.store.labelled_cells import Labelled, labelled_cells
from morpholaw.store.study_folder import StudyFolder, provenance
from morpholaw.study import encoder_step
from morpholaw.study.checkpoint import Checkpoint
from morpholaw.study.latent_rows import oriented_latents, oriented_posteriors, repeated, training_latents
from morpholaw.training.checkpointing import Checkpointing
from morpholaw.training.class_balanced_rows import class_balanced_rows
from morpholaw.training.cnn import train_cnn
from morpholaw.training.encoder import encode
from morpholaw.training.heads import train_heads
from morpholaw.training.laws import discover_laws
from morpholaw.training.rigl import METHODS, RigL


def train(
    folder: StudyFolder,
    scheme: int,
    config: ClassifierConfig,
    monitor: Monitor = SILENT,
) -> dict[str, Any]:
    """Train ``config.models`` models of scheme 1, 2 or 3; returns the saved description."""
    if scheme == 3:
        found = {name: value for name, value in folder.tuned.items() if name not in config.model_fields_set}
        config = config.model_copy(update=found)
    cells = labelled_cells(folder, config)
    classes = (config.negative, config.positive)
    epoch = repeated(len(cells.train), config.epoch_cells)
    targets = cells.train_targets[epoch]
    if scheme not in (1, 2, 3):
        raise InputError(f"There is no scheme {scheme} to train here; expected 1, 2 or 3.")
    name = f"scheme{scheme}"
    checkpoint = _checkpoint(folder, name, cells, config)
    kept = checkpoint.read()
    checkpointing = Checkpointing(checkpoint.write, None if kept is None else kept[0])
    if kept is not None:
        monitor.emit(Message(f"Going on from the checkpoint of scheme {scheme}."))
    if scheme == 1:
        images = folder.crops[cells.train][epoch]
        cnn, head = train_cnn(images, targets, config, checkpointing=checkpointing, monitor=monitor)
        classifier = Classifier.dense_cnn(cnn, head, classes)
    else:
        encoder, _ = encoder_step.load(folder.path / "encoder")
        posteriors = oriented_posteriors(encoder, folder.crops[cells.train], config.augment)
        rows = training_latents(*posteriors, config)
        head = train_heads(
            rows[:, epoch],
            targets,
            config,
            rigl=RigL(METHODS[config.sparse_method]) if scheme == 3 else None,
            test=(test_latents(encoder, folder, cells), cells.test_targets),
            checkpointing=checkpointing,
            monitor=monitor,
        )
        classifier = Classifier.with_head(encoder, head, classes, sparse=scheme == 3)
    if monitor.should_stop():
        monitor.emit(
            Message(
                f"Stopped: the models of scheme {scheme} from before were kept. Training it again with the same "
                "settings goes on from here."
            )
        )
        return {"complete": False}
    made = _keep(folder, name, classifier, cells, config)
    checkpoint.remove()
    return made


def discover(
    folder: StudyFolder,
    config: LawConfig,
    split: ClassifierConfig | None = None,
    monitor: Monitor = SILENT,
) -> dict[str, Any]:
    """Find laws on the latents that scheme 3 kept (paper, 6.4); returns the saved description."""
    split = split or _split_of(folder)
    cells = labelled_cells(folder, split)
    encoder, _ = encoder_step.load(folder.path / "encoder")
    kept = tuple(config.latents) if config.latents else usual_inputs(kept_by_scheme_3(folder))
    outside = [latent for latent in kept if not 0 <= latent < encoder.latents]
    if outside:
        raise InputError(f"There is no latent z{outside[0]}; the encoder has z0 to z{encoder.latents - 1}.")
    names = [f"z{latent}" for latent in kept]
    turned = oriented_latents(encoder, folder.crops[cells.train], split.augment)
    rows = turned.reshape(-1, encoder.latents)
    targets = np.tile(cells.train_targets, len(turned))
    own = np.tile(cells.train, len(turned))
    chosen = class_balanced_rows(
        [np.flatnonzero(targets == number) for number in (0, 1)], (0.5, 0.5), config.seed
    )
    rows, targets, own = rows[chosen], targets[chosen], own[chosen]
    features = FeatureTable(rows[:, list(kept)], tuple(names))
    outputs = _teacher(folder, rows) if config.loss == "mse" else None
    name = name_of(4, config.loss)
    checkpoint = Checkpoint(
        folder.path / "classifiers" / name / "checkpoint",
        config.model_dump(mode="json", exclude={"processes"}),
        names,
        fingerprint(features.values),
        fingerprint(targets if outputs is None else outputs),
    )
    before = checkpoint.read()
    laws = discover_laws(
        features,
        targets,
        config,
        outputs=outputs,
        cells=own,
        checkpointing=Checkpointing(
            lambda results: checkpoint.write({}, results=results), before[1]["results"] if before else None
        ),
        monitor=monitor,
    )
    if monitor.should_stop() and not laws:
        monitor.emit(Message("Stopped before a law was found: the laws from before were kept."))
        return {"complete": False}
    if not laws:
        raise InputError(
            f"The search found no law that reads a latent: {', '.join(names)} may not tell the classes apart; choose "
            "other latents, or allow more evaluations."
        )
    classifier = Classifier.with_laws(encoder, laws, (split.negative, split.positive))
    made = _keep(folder, name, classifier, cells, split, {"law_config": config.model_dump(mode="json")})
    if not monitor.should_stop():
        checkpoint.remove()
    return made


def _checkpoint(folder: StudyFolder, name: str, cells: Labelled, config: ClassifierConfig) -> Checkpoint:
    """Where a training keeps its state, named by all that its models depend on."""
    return Checkpoint(
        folder.path / "classifiers" / name / "checkpoint",
        config.model_dump(mode="json"),
        encoder_step.data_fingerprint(folder),
        *(fingerprint(part) for part in (cells.train, cells.train_targets)),
        None if name == "scheme1" else _encoder_fingerprint(folder),
    )


def test_latents(encoder: BetaTCVAE, folder: StudyFolder, cells: Labelled) -> np.ndarray:
    """Means float32 (n, latents) of the test cells, as they are in the movie."""
    return encode(encoder, folder.crops[cells.test])[0]


def _keep(
    folder: StudyFolder,
    name: str,
    classifier: Classifier,
    cells: Labelled,
    config: ClassifierConfig,
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    classifier.eval()
    scores = score_crops(classifier, folder.crops[cells.test])
    performance: Performance = measure(scores, cells.test_targets)
    description = {
        "name": name,
        "evaluation": {
            "split": cells.fingerprint,
            "training_cells": len(cells.train),
            "test_cells": len(cells.test),
            **performance.to_json(),
        },
        "head_weights": classifier.head_weights,
        "expression_sizes": classifier.expression_sizes,
        "kept_latents": [list(classifier.kept_latents(k)) for k in range(classifier.members)],
        "parameters": sum(p.numel() for p in classifier.parameters()),
        "encoder_fingerprint": _encoder_fingerprint(folder) if classifier.encoder is not None else None,
        **provenance(config, encoder_step.data_fingerprint(folder)),
        **(more or {}),
    }
    classifier.save(folder.path / "classifiers" / name, description)
    return description


def _encoder_fingerprint(folder: StudyFolder) -> str:
    return encoder_step.load(folder.path / "encoder")[1]["sha256"]


@torch.no_grad()
def _teacher(folder: StudyFolder, rows: np.ndarray) -> np.ndarray:
    """What MSE laws learn from latents (n, L): the mean output of scheme 3's models, float64 (n,).

    All of them: to choose one by its accuracy in test would let the test cells choose the law.
    """
    scores = load(folder, "scheme3").score_latents(torch.from_numpy(rows.astype(np.float32)))
    return scores.double().mean(0).numpy()


def _split_of(folder: StudyFolder) -> ClassifierConfig:
    """The split that scheme 3 was trained with, so that laws are tested on the same groups."""
    path = folder.path / "classifiers" / "scheme3" / "model.json"
    if not path.exists():
        return ClassifierConfig()
    with described(path.parent):
        saved = read_json(path)["config"]
        return ClassifierConfig.from_values(
            {k: v for k, v in saved.items() if k in ClassifierConfig.model_fields}
        )  # type: ignore[return-value]
