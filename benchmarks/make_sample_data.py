"""Make sample_data/ from its seed and a trained simulated study.

``make sample-data`` trains the study first, with ``benchmarks/simulated_study.py``. The movie and the labelled crops
are simulated anew; the encoder and the best model of each scheme are the study's.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from morpholaw.cells.simulator import simulate_crop_set, simulate_movie
from morpholaw.config import SimulateConfig
from morpholaw.models.bundle import save_bundle
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.study import Study

MOVIE = SimulateConfig(frames=36, cells=30, height=288, width=288, seed=7)
LABELLED = {"interphase": 1030, "metaphase": 1000}
SEED = 8


def _best(accuracy: Sequence[float], sizes: Sequence[int]) -> int:
    """The most accurate model, of several the smallest."""
    return int(np.lexsort([sizes, -np.array(accuracy)])[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "sample_data")
    options = parser.parse_args()
    out, study = options.out, Study(options.study)
    for name in ("movie", "labelled", "encoder", "classifiers"):
        shutil.rmtree(out / name, ignore_errors=True)
    simulate_movie(MOVIE).write(out / "movie")
    simulate_crop_set(out / "labelled", seed=SEED, phases=LABELLED)
    record = study.encoder_record.model_copy(update={"history": {}})
    save_bundle(out / "encoder", study.encoder.state_dict(), record.description())
    (out / "classifiers").mkdir()
    for name in ("scheme1", "scheme2", "scheme3", "scheme4-hinge"):
        ensemble = classifiers.record(study, name)
        classifier = study.classifier(name).select(
            _best(ensemble.evaluation.accuracy, ensemble.expression_sizes)
        )
        one = ClassifierRecord.of(
            classifier,
            name=name,
            evaluation=study.evaluate(classifier, ensemble.config),
            config=ensemble.config,
            provenance=ensemble.provenance,
            encoder_fingerprint=ensemble.encoder_fingerprint,
            law_config=ensemble.law_config,
        )
        classifier.save(out / "classifiers" / name, one.description())
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
