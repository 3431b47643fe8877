"""Make sample_data/ from its seed and a trained simulated study.

``make sample-data`` trains the study first, with ``benchmarks/simulated_study.py``. The movie and the labelled crops
are simulated anew; the encoder and the best model of each scheme are the study's.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np

from morpholaw.cells.files import read_json
from morpholaw.cells.simulator import simulate_crop_set, simulate_movie
from morpholaw.config import SimulateConfig
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.performance import measure
from morpholaw.models.bundle import save_bundle
from morpholaw.store.labelled_cells import held_out
from morpholaw.study import Study
from morpholaw.study.encoder_step import load

MOVIE = SimulateConfig(frames=36, cells=30, height=288, width=288, seed=7)
LABELLED = {"interphase": 1030, "metaphase": 1000}
SEED = 8


def _best(accuracy: list[float], sizes: list[int]) -> int:
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
    model, description = load(study.path / "encoder")
    kept = {k: v for k, v in description.items() if k not in ("schema", "weights", "sha256", "history")}
    (out / "classifiers").mkdir()
    save_bundle(out / "encoder", model.state_dict(), kept)
    for name in ("scheme1", "scheme2", "scheme3", "scheme4-hinge"):
        made = read_json(study.path / "classifiers" / name / "model.json")
        best = _best(made["evaluation"]["accuracy"], made["expression_sizes"])
        classifier = study.classifier(int(name[6]), "hinge").select(best)
        one = {k: [v[best]] for k, v in made.items() if k in ("expression_sizes", "kept_latents")}
        test, targets = held_out(study, name)
        own = measure(score_crops(classifier, study.crops[test]), targets).to_json()
        weights = None if made["head_weights"] is None else [made["head_weights"][best]]
        skipped = ("schema", "weights", "sha256", "members", *one)
        rest = {k: v for k, v in made.items() if k not in skipped}
        classifier.save(
            out / "classifiers" / name,
            rest | one | {"evaluation": made["evaluation"] | own, "head_weights": weights},
        )
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
