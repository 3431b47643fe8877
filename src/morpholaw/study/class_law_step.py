"""Laws of more than two classes in a study: found on the training groups, tested on the others, kept as JSON."""

from __future__ import annotations

import numpy as np
import torch

from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import ClassifierConfig, ClassLawConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.metrics import accuracy, balanced_accuracy, confusion
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.features import FeatureTable
from morpholaw.models.heads import HeadEnsemble
from morpholaw.store import class_laws, encoders
from morpholaw.store.class_laws_record import ClassLawsEvaluation, ClassLawsRecord
from morpholaw.store.labelled_cells import all_labels, labels_seen, split_labelled
from morpholaw.store.provenance import Provenance
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.latent_rows import oriented_posteriors, repeated, training_latents
from morpholaw.training.class_laws import discover_class_laws
from morpholaw.training.encoder import encode
from morpholaw.training.heads import train_heads
from morpholaw.training.rigl import METHODS, RigL


def discover(
    folder: StudyFolder,
    config: ClassLawConfig,
    heads: ClassifierConfig | None = None,
    monitor: Monitor = SILENT,
) -> ClassLawsRecord | None:
    """Find a law for each class and keep them; None where the search was stopped before each had one.

    Parameters
    ----------
    heads
        How the sparse networks are trained whose latents and outputs are taken; as scheme 3 by default.
    """
    if config.inputs != "latents":
        raise InputError("Laws of more than two classes read latents alone so far; leave out inputs.")
    labels = all_labels(folder)
    classes = config.classes or tuple(sorted(set(labels.tolist()) - {""}))
    if len(classes) < 2:
        raise InputError("Laws of classes need two classes or more; label cells of more classes first.")
    encoder = encoders.of_study(folder)
    seen = labels_seen(folder)
    train, test = split_labelled(folder, classes, config.test_fraction, config.split_seed, seen)
    number = {name: k for k, name in enumerate(classes)}
    truth, test_truth = (np.array([number[label] for label in labels[cells]]) for cells in (train, test))
    turned, log_variances = oriented_posteriors(encoder, folder.crops[train])
    test_latents = encode(encoder, folder.crops[test])[0]
    kept, outputs = config.latents, None
    sparse_accuracy = None
    if kept is None or config.loss == "mse":
        settings = heads or ClassifierConfig(models=5, seed=config.seed)
        shown = slice(None) if settings.augment else slice(1)
        learnt = training_latents(turned[shown], log_variances[shown], settings)
        head = _sparse(learnt, truth, settings, monitor)
        if monitor.should_stop():
            monitor.emit(Message("Stopped: the laws from before were kept."))
            return None
        kept = kept or _usual(head)
        sparse_accuracy = _accuracies(head, test_latents, test_truth)
        outputs = _outputs(head, turned) if config.loss == "mse" else None
    names = [f"z{latent}" for latent in kept]
    rows = turned.reshape(-1, encoder.latents)
    found = discover_class_laws(
        FeatureTable(rows[:, list(kept)], tuple(names)),
        np.tile(truth, len(turned)),
        classes,
        config,
        outputs=outputs,
        cells=np.tile(train, len(turned)),
        monitor=monitor,
    )
    if found is None:
        monitor.emit(Message("Stopped before every class had a law: the laws from before were kept."))
        return None
    groups = folder.crops.cells["group"].to_numpy(str)
    predicted = found.predict(test_latents)
    record = ClassLawsRecord(
        laws=found,
        evaluation=ClassLawsEvaluation(
            split=split_fingerprint(groups[test]),
            training_cells=len(train),
            test_cells=len(test),
            accuracy=accuracy(predicted == test_truth),
            balanced_accuracy=balanced_accuracy(test_truth, predicted),
            confusion=tuple(map(tuple, confusion(test_truth, predicted, len(classes)).tolist())),
            undefined=found.undefined(test_latents),
            sparse_accuracy=sparse_accuracy,
        ),
        encoder_fingerprint=folder.encoder_record.sha256,
        config=config,
        provenance=Provenance.now(encoders.data_fingerprint(folder)),
    )
    record.write(class_laws.place_of(folder, config.loss))
    return record


def _sparse(
    turned: np.ndarray,
    truth: np.ndarray,
    config: ClassifierConfig,
    monitor: Monitor,
) -> HeadEnsemble:
    epoch = repeated(len(truth), config.epoch_cells)
    return train_heads(
        turned[:, epoch],
        truth[epoch],
        config,
        rigl=RigL(METHODS[config.sparse_method]),
        monitor=monitor,
    )


def _usual(head: HeadEnsemble) -> tuple[int, ...]:
    """Latents that most of the networks kept; all that any kept where no majority exists."""
    usual = usual_inputs([head.kept_inputs(k) for k in range(head.members)])
    if not usual:
        raise InputError("The sparse networks kept no latent at all; train them with a lower sparsity.")
    return usual


@torch.no_grad()
def _logits(head: HeadEnsemble, latents: np.ndarray) -> np.ndarray:
    """Logits of a softmax, float64 (members, rows, classes); of two classes from the one score."""
    scores = head(torch.from_numpy(np.ascontiguousarray(latents, dtype=np.float32))).double()
    if head.outputs == 1:
        scores = torch.stack([torch.zeros_like(scores), scores], dim=-1)
    logits: np.ndarray = scores.numpy()
    return logits


def _accuracies(head: HeadEnsemble, latents: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    return tuple(float(np.mean(logits.argmax(axis=1) == truth)) for logits in _logits(head, latents))


def _outputs(head: HeadEnsemble, turned: np.ndarray) -> np.ndarray:
    """Mean logits (rows, classes) of the networks on the training cells, in all orientations."""
    outputs: np.ndarray = _logits(head, turned.reshape(-1, turned.shape[-1])).mean(0)
    return outputs
