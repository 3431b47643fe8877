"""Real cells: the paper's Table 1 on MitoCheck crops, and every division of a Cell Tracking Challenge movie.

Run ``python benchmarks/real_study.py DATA STUDY [--out docs]``, where DATA has the folders ``mitocheck_hela`` and
``hela_ctc_02``. Finished steps are skipped. Writes STUDY/real.json and OUT/images/real_*.png.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import write_json
from morpholaw.cells.tracks import read_tracks
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.table import show_table
from morpholaw.config import ClassifierConfig, EncoderConfig
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.figures.pictures import montage
from morpholaw.models.classes import predicted_classes
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.study import Study

CLASSES = {"interphase": ["Interphase"], "metaphase": ["Metaphase", "MetaphaseAlignment"]}
LAST_FRAMES = 2
"""A division counts as found if its mother is classified as metaphase in one of this many last frames."""


def build(data: Path, study: Study, options: argparse.Namespace) -> None:
    """Import the data, and train the encoder and ten models of each scheme."""
    names = {crop_set.name for crop_set in study.sets}
    with progress() as monitor:
        said = {"monitor": monitor}
        if "mitocheck_hela" not in names:
            study.import_crops(
                data / "mitocheck_hela", classes=CLASSES, group_regex=r"(PL.*?___P[^_]+)", **said
            )
        if "hela_ctc_02" not in names:
            folder = data / "hela_ctc_02"
            study.crop(folder / "Fluo_Hela_02_img.tif", folder / "02_GT" / "TRA", name="hela_ctc_02", **said)
        if not study.has_encoder or study.can_resume:
            study.train_encoder(
                epoch_crops=options.epoch_crops,
                start_from=options.start_from,
                threads=options.threads,
                resume=True,
                **(EncoderConfig.PLAIN if options.plain else {}),
                **said,
            )
        done = set(study.table1()["name"]) if len(study.table1()) else set()
        for scheme in (2, 3):
            if f"scheme{scheme}" not in done:
                study.train_classifier(scheme, **said)
        for loss in ("hinge", "mse"):
            if f"scheme4-{loss}" not in done:
                study.discover_law(loss=loss, evaluations=options.evaluations, **said)
        if "scheme1" not in done:
            study.train_classifier(1, epochs=options.cnn_epochs, start_from="none", deformation=0, **said)


def without_alignments(study: Study, name: str) -> list[float]:
    """Return the balanced accuracy of each model without the misaligned metaphases in the test."""
    classifier = study.classifier(int(name[6]), "mse" if name.endswith("mse") else "hinge")
    cells = labelled_cells(study, ClassifierConfig())
    plain = ~study.crops.cells["file"].str.startswith("MetaphaseAlignment").to_numpy()[cells.test]
    truth = (cells.test_targets > 0).astype(int)[plain]
    calls = predicted_classes(score_crops(classifier, study.crops[cells.test]))[:, plain]
    return [balanced_accuracy(truth, own) for own in calls]


def over_splits(study: Study, seeds: int, evaluations: int) -> pd.DataFrame:
    """Return the balanced accuracy of schemes 2 to 4 on several grouped splits of the same crops, one row per split."""
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "splits"
        folder.mkdir()
        shutil.copy(study.path / "study.json", folder)
        (folder / "crops").symlink_to((study.path / "crops").resolve())
        shutil.copytree(study.path / "encoder", folder / "encoder")
        again = Study.open(folder)
        for seed in range(seeds):
            for scheme in (2, 3):
                again.train_classifier(scheme, split_seed=seed)
            for loss in ("hinge", "mse"):
                again.discover_law(loss=loss, count=6, evaluations=evaluations)
            table = again.table1().set_index("name")
            rows.append({"split": table["split"].iloc[0], **table["balanced accuracy %"]})
    return pd.DataFrame(rows)


def divisions(study: Study, crop_set: CropSet, calls: pd.Series, data: Path) -> dict[str, Any]:
    """Return the recall of divisions, and the share of other cells (in all frames) classified as metaphase."""
    tracks = read_tracks(data / "hela_ctc_02" / "02_GT" / "TRA")
    cells = crop_set.cells
    last = tracks.groupby("track_id")["t"].max()
    parents = [p for p in sorted(set(tracks["parent"]) - {-1}) if p in last.index]
    before = pd.Series(False, index=cells.index)
    found, missed = [], []
    for parent in parents:
        final = cells["track_id"].eq(parent) & cells["t"].gt(last[parent] - LAST_FRAMES)
        before |= final
        (found if (calls[final] == "metaphase").any() else missed).append(int(parent))
    daughters = tracks[tracks["parent"].isin(parents)].groupby("track_id")["t"].min()
    others = ~before
    return {
        "divisions": len(parents),
        "found": len(found),
        "recall": len(found) / len(parents),
        "missed parents": missed,
        "other cell-frames": int(others.sum()),
        "called metaphase": float((calls[others] == "metaphase").mean()),
        "of those within a frame of a division": int(
            sum(
                (cells["track_id"].eq(d) & cells["t"].le(t + 1) & (calls == "metaphase")).sum()
                for d, t in daughters.items()
            )
        ),
    }


def missed_figure(crop_set: CropSet, missed: list[int], path: Path) -> None:
    """Draw the last three frames of every missed division."""
    cells = crop_set.cells
    rows = [cells[cells["track_id"] == parent].sort_values("t").tail(3) for parent in missed]
    if not rows:
        return
    chosen = pd.concat(rows)
    figure: Figure = montage(
        crop_set.images[chosen["crop"].to_numpy()],
        captions=[f"{p}, t {t}" for p, t in zip(chosen["track_id"], chosen["t"], strict=True)],
        columns=12,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--epoch-crops", type=int, default=EncoderConfig().epoch_crops)
    parser.add_argument("--start-from", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument(
        "--plain", action="store_true", help="Train the encoder without shapes, swaps and perturbations."
    )
    parser.add_argument("--cnn-epochs", type=int, default=30)
    parser.add_argument("--evaluations", type=int, default=200_000)
    parser.add_argument("--splits", type=int, default=6, help="Splits to test schemes 2 to 4 on.")
    options = parser.parse_args()
    study = Study.open_or_create(options.study)
    build(options.data, study, options)
    crop_set, results = study.crop_set("hela_ctc_02"), {}
    for name in study.table1()["name"]:
        loss = "mse" if name.endswith("mse") else "hinge"
        table = study.classify(int(name[6]), crops=crop_set, loss=loss, along_tracks=True)
        results[name] = divisions(study, crop_set, table["frame_class"], options.data)
        results[name]["along tracks"] = along = divisions(study, crop_set, table["class"], options.data)
        results[name]["without alignments"] = without_alignments(study, name)
        missed_figure(
            crop_set, results[name]["missed parents"], options.out / "images" / f"real_missed_{name}.png"
        )
        spread = np.asarray(results[name]["without alignments"])
        print(
            f"{name}: {results[name]['found']} of {results[name]['divisions']} divisions found, "
            f"{100 * results[name]['called metaphase']:.2f} % of other cell-frames called metaphase; along tracks "
            f"{along['found']} and {100 * along['called metaphase']:.2f} %; interphase against metaphase alone "
            f"{spread.mean():.3f} ± {spread.std(ddof=1) if len(spread) > 1 else 0:.3f}"
        )
    write_json(options.study / "real.json", results)
    show_table(study)
    if options.splits:
        print(over_splits(study, options.splits, options.evaluations).to_string(index=False))


if __name__ == "__main__":
    main()
