"""Classification of a movie with tracks to a table, compared with the encoder alone on crops in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from morpholaw.bench.comparison import Comparison
from morpholaw.bench.movie import write_movie
from morpholaw.bench.timing import in_turn
from morpholaw.cells.crops import cut_crops
from morpholaw.cells.inputs import open_inputs
from morpholaw.cells.movies import open_movie
from morpholaw.config import CropConfig
from morpholaw.models.classifier import Classifier
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.vae import BetaTCVAE
from morpholaw.study import Study
from morpholaw.study.applied_classifier import AppliedClassifier
from morpholaw.study.classify_step import classify_movie
from morpholaw.training.cores import available_cores
from morpholaw.training.encoder import encode

SIDE, CELLS = 1024, 400


def measure(full: bool = False) -> list[Comparison]:
    """Measure cells per second of scheme 2 with ten untrained models."""
    torch.set_num_threads(available_cores())
    frames = 400 if full else 100
    encoder = BetaTCVAE().eval()
    classifier = Classifier.with_head(encoder, HeadEnsemble(10), ("negative", "positive"), sparse=False)
    applied = AppliedClassifier(classifier.eval())
    config = CropConfig()
    with tempfile.TemporaryDirectory(prefix="morpholaw-bench-") as place:
        movie = Path(place) / "movie.tif"
        tracks = write_movie(movie, frames, SIDE, CELLS)
        crops = cut_crops(open_movie(movie), tracks, Path(place) / "set").images[:]
        study = Study.create(Path(place) / "study")
        mine, theirs = in_turn(
            lambda: classify_movie(study, applied, open_inputs(movie, tracks, config), config),
            lambda: encode(encoder, crops),
            rounds=7,
        )
    rates = [[len(tracks) / taken for taken in times] for times in (mine, theirs)]
    note = f"{frames} frames of {SIDE} x {SIDE} with {CELLS} cells each; the limit encodes crops in memory."
    return [Comparison(rates[0], rates[1], "encoder alone on ready crops", 0.7, "cells/s", True, note)]
