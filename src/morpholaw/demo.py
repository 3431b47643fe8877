"""The demo: the complete workflow on the shipped sample, from a movie to Table 1 and a report."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import replace_folder, temporary_path
from morpholaw.cells.simulator import simulate_crop_set
from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.sample import sample_folder
from morpholaw.study import Study

UNLABELLED = 12_000
"""Additional simulated crops for the encoder, which the shipped encoder was not trained on."""
ENCODER = EncoderConfig(epochs=4, epoch_crops=160_000)
"""0.64 million crops, starting from the shipped encoder, as for a small study. From random weights, this would be too
few to obtain one latent per factor."""
CNN = ClassifierConfig(models=3, epochs=8)
HEADS = ClassifierConfig(models=10, swaps=8)
"""Training cells are also placed in other surroundings, as for the sample's models."""
MEASURED = LawConfig(inputs="shapes", count=6, evaluations=60_000)
"""Laws over measured shapes, which need no encoder and take half a minute."""
LAWS = (
    LawConfig(loss="hinge", count=6, evaluations=150_000),
    LawConfig(loss="mse", count=6, evaluations=120_000),
)


def run_demo(out: Path, monitor: Monitor = SILENT) -> Study:
    """Create a study of the sample, train all models and write a report.

    Parameters
    ----------
    out : Path
        Folder of the study; an earlier demo in it is replaced.
    monitor : Monitor
        Receives progress and can stop the demo.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If ``out`` is not empty and is not a study.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / "study.json").exists():
            raise InputError(f"{out} is not empty; give --out a new folder.")
        shutil.rmtree(out)
    sample, begun = sample_folder(), time.monotonic()
    study = Study.create(out)
    monitor.tell("The sample is simulated: a tracked movie, and labelled crops of interphase and metaphase.")
    study.crop(
        sample / "movie" / "movie.tif",
        sample / "movie" / "tracks.csv",
        monitor=monitor,
    )
    add_set(study, CropSet(sample / "labelled"))
    study.discover_law(MEASURED, name="measured", monitor=monitor)
    monitor.tell(f"Simulating {UNLABELLED:,} more crops for the encoder, without labels.")
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
    monitor.tell(
        f"Done in {minutes} min {seconds} s; the study is {out} and its report {out / 'report.html'}."
    )
    return study


def add_set(study: Study, crop_set: CropSet) -> CropSet:
    """Copy a crop set with its labels into a study."""
    with study.writing():
        folder = study.new_set_folder(crop_set.name)
        partial = temporary_path(folder)
        shutil.copytree(crop_set.folder, partial)
        replace_folder(partial, folder)
    return study.crop_set(folder.name)
