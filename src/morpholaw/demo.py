"""The whole story on the shipped sample, from a movie and labelled crops to Table 1 and a report."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import replace_folder, temporary_path
from morpholaw.cells.simulator import simulate_crop_set
from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.sample import sample_folder
from morpholaw.study import Study

UNLABELLED = 12_000
"""Extra crops for the encoder, of cells that the shipped one has not seen."""
ENCODER = EncoderConfig(epochs=4, epoch_crops=160_000)
"""0.64 million crops from the shipped encoder, as a small study of anyone's own would start: from new weights they are
too few for each factor to find a latent of its own."""
CNN = ClassifierConfig(models=3, epochs=8)
HEADS = ClassifierConfig(models=10, swaps=8)
"""Heads and laws learn from cells in other surroundings too, as those of the sample do."""
MEASURED = LawConfig(inputs="shapes", count=6, evaluations=60_000)
"""Laws over measured shapes, which need no encoder, in half a minute: what can be said in micrometres is said first."""
LAWS = (
    LawConfig(loss="hinge", count=6, evaluations=150_000),
    LawConfig(loss="mse", count=6, evaluations=120_000),
)


def run_demo(out: Path, monitor: Monitor = SILENT) -> Study:
    """Make a study of the sample at ``out``, train everything in it and write its report.

    Raises
    ------
    InputError
        When ``out`` holds something that is not a demo's study.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / "study.json").exists():
            raise InputError(f"{out} is not empty; give --out a new folder.")
        shutil.rmtree(out)
    sample, begun = sample_folder(), time.monotonic()
    study = Study.create(out)
    monitor.emit(
        Message("The sample is simulated: a tracked movie, and labelled crops of interphase and metaphase.")
    )
    study.crop(
        sample / "movie" / "movie.tif",
        sample / "movie" / "tracks.csv",
        monitor=monitor,
    )
    add_set(study, CropSet(sample / "labelled"))
    study.discover_law(MEASURED, name="measured", monitor=monitor)
    monitor.emit(Message(f"{UNLABELLED:,} more crops are simulated for the encoder, without labels."))
    with study.writing():
        simulate_crop_set(study.new_set_folder("unlabelled"), UNLABELLED, seed=1, labels=False)
    study.train_encoder(ENCODER, monitor=monitor)
    study.train_classifier(1, CNN, monitor=monitor)
    for scheme in (2, 3):
        study.train_classifier(scheme, HEADS, monitor=monitor)
    for law in LAWS:
        study.discover_law(law, monitor=monitor)
    study.report(out / "report.html", monitor)
    minutes, seconds = divmod(round(time.monotonic() - begun), 60)
    monitor.emit(
        Message(
            f"Done in {minutes} min {seconds} s; the study is {out} and its report {out / 'report.html'}."
        )
    )
    return study


def add_set(study: Study, crop_set: CropSet) -> CropSet:
    """Copy a crop set into a study, labels and all."""
    with study.writing():
        folder = study.new_set_folder(crop_set.name)
        partial = temporary_path(folder)
        shutil.copytree(crop_set.folder, partial)
        replace_folder(partial, folder)
    return study.crop_set(folder.name)
