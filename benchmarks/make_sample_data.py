"""Make sample_data/ from its seed and a trained simulated study.

``make sample-data`` trains the study first, with ``benchmarks/simulated_study.py``. The movie and the labelled crops
are simulated anew; the encoder, the models of each scheme and the laws over measured shapes come from the study. All of
the study's models are shipped, without selection, except for scheme 1: its ten CNNs take 12 MB, and only the first
seven fit into 25 MB with everything else. Classifiers refer to the encoder in ``encoder/`` and have no copies of it.
``--phases FOUR`` makes only the classifiers of four phases, which read shapes and need no encoder, from a study trained
by ``benchmarks/four_phases.py``.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
from simulated_study import MEASURED

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crop_set, simulate_movie
from morpholaw.config import SimulateConfig
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.interpretation.latent_summary import evenly_spaced
from morpholaw.models.bundle import save_bundle
from morpholaw.models.classifier import Classifier
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.familiarity_record import CELLS, write_familiarity
from morpholaw.study import Study

MOVIE = SimulateConfig(frames=36, cells=30, height=288, width=288, seed=7)
LABELLED = {"interphase": 1030, "metaphase": 1000}
SEED = 8
PHASES = {"scheme2-shapes": "scheme2", "scheme3-shapes": "scheme3", "laws-shapes": MEASURED}
"""Classifiers of four phases that are shipped, and what they are called in the sample."""
PARTS = ("encoder", "scheme2", "scheme3", "scheme4-hinge", MEASURED, "scheme1")
MOST_BYTES = 25_000_000
"""Size of the sample at most."""
DESCRIPTIONS = 300_000
"""Bytes that are left for descriptions of training cells and the classifiers of four phases."""


def first_models(classifier: Classifier, count: int) -> Classifier:
    """Return the first ``count`` models of scheme 1 as a classifier."""
    cnn, head = classifier.cnn, classifier.head
    assert cnn is not None
    assert head is not None
    fewer_cnn = CNNEnsemble(count, **cnn.settings)
    for network, kept in zip(fewer_cnn.networks, cnn.networks, strict=False):
        network.load_state_dict(kept.state_dict())
    fewer_heads = HeadEnsemble(count, head.inputs, head.hidden, head.outputs, head.normalise, head.dropout)
    fewer_heads.load_state_dict({name: tensor[:count] for name, tensor in head.state_dict().items()})
    return Classifier.dense_cnn(fewer_cnn, fewer_heads, classifier.classes).eval()


def size_of(folder: Path) -> int:
    """Return the total size of all files in a folder, in bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def write_classifier(study: Study, name: str, folder: Path, room: int | None = None) -> None:
    """Write a classifier as it is shipped, with all its models, or the first of them that ``room`` bytes hold.

    The classifier is named after its folder.
    """
    record = classifiers.record(study, name)
    classifier, evaluation = study.classifier(name), record.evaluation
    if room is not None:
        weights = study.path / "classifiers" / name / record.weights
        count = min(classifier.members, classifier.members * room // weights.stat().st_size)
        if count < classifier.members:
            classifier = first_models(classifier, count)
            evaluation = study.evaluate(classifier, record.config)
    shipped = ClassifierRecord.of(
        classifier,
        name=folder.name,
        evaluation=evaluation,
        config=record.config,
        provenance=record.provenance,
        encoder_fingerprint=record.encoder_fingerprint,
        law_config=record.law_config,
    )
    classifiers.write(folder, classifier, shipped)


def write_scheme_1(study: Study, out: Path) -> None:
    """Write as many CNNs as the sample has room for."""
    write_classifier(
        study, "scheme1", out / "classifiers" / "scheme1", MOST_BYTES - DESCRIPTIONS - size_of(out)
    )


def describe_training_cells(classifiers_folder: Path, cells: CropSet) -> None:
    """Describe the training cells of the classifiers by ``cells``, which are simulated in the same way."""
    rows = evenly_spaced(len(cells), CELLS)
    cloud = Familiarity.fit(np.asarray(cells.images[rows]), cells.cells["group"].to_numpy(str)[rows])
    assert cloud is not None
    for folder in classifiers_folder.iterdir():
        write_familiarity(folder, ClassifierRecord.read(folder).sha256, cloud)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "sample_data")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="Make the encoder or these classifiers alone."
    )
    parser.add_argument(
        "--phases",
        action="store_true",
        help="Make the classifiers of four phases from STUDY, and nothing else.",
    )
    options = parser.parse_args()
    out, study = options.out, Study(options.study)
    if options.phases:
        folder = out / "phases" / "classifiers"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, shipped in PHASES.items():
            write_classifier(study, name, folder / shipped)
        describe_training_cells(folder, study.crop_set("labelled"))
        return
    if not options.only:
        for name in ("movie", "labelled"):
            shutil.rmtree(out / name, ignore_errors=True)
        simulate_movie(MOVIE).write(out / "movie")
        simulate_crop_set(out / "labelled", seed=SEED, phases=LABELLED)
    wanted = options.only or PARTS
    for name in PARTS:  # scheme 1 last, into the room that is left
        if name not in wanted:
            continue
        folder = out / "encoder" if name == "encoder" else out / "classifiers" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if name == "encoder":
            record = study.encoder_record.model_copy(update={"history": {}})
            save_bundle(folder, study.encoder.state_dict(), record.description())
        elif name == "scheme1":
            write_scheme_1(study, out)
        else:
            write_classifier(study, name, folder)
    describe_training_cells(out / "classifiers", CropSet(out / "labelled"))
    if len(list((out / "encoder").glob("weights-*"))) > 1:
        raise SystemExit(f"{out}: a classifier reads another encoder than the study's; train it again.")
    members = {path.name: ClassifierRecord.read(path).members for path in (out / "classifiers").iterdir()}
    print(f"{out}: {size_of(out) / 1e6:.1f} MB; models: {members}")


if __name__ == "__main__":
    main()
