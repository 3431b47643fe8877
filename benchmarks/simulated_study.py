"""The study of simulated cells at the paper's size: its encoder, ten models per scheme, ten laws per loss.

Run ``python benchmarks/simulated_study.py PLAIN --plain --only-encoder --epoch-crops 875000``, the same with ``ASKED
--start PLAIN/encoder --only-encoder --epoch-crops 175000``, with ``AGAIN --start ASKED/encoder --only-encoder
--epoch-crops 175000`` and with ``STUDY --start AGAIN/encoder --epoch-crops 175000``; finished steps are skipped, and a
stopped step resumes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from morpholaw.cells.simulator import simulate_crop_set
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.table import show_table
from morpholaw.config import EncoderConfig
from morpholaw.interpretation.components import additive_terms
from morpholaw.store import classifiers
from morpholaw.study import Study

PAPER = {"interphase": 4092, "metaphase": 3929}
UNLABELLED = 40_000
SWAPS = 8
"""Versions of each labelled cell in the surroundings of another one: without them heads and laws read more of the
neighbourhood (docs/encoder_table.md)."""
MEASURED, MOST_NODES = "measured", 9
"""The laws over measured shapes, and the nodes of such a law: more of them are right no more often."""


def add_simulated(study: Study, name: str, *crops: Any, **kind: Any) -> None:
    """Simulate a crop set for the study, unless it is already there."""
    folder = study.path / "crops" / name
    if not folder.exists():
        simulate_crop_set(folder, *crops, **kind)


def apply_a_sum(study: Study) -> None:
    """Apply the first law whose terms have one shape each, because a sentence can express it completely."""
    for place, law in enumerate(classifiers.record(study, MEASURED).laws):
        terms = [set(term.expression.variables()) for term in additive_terms(law)]
        if max(map(len, terms)) == 1 and len(set().union(*terms)) > 1:
            study.apply_law(place, name=MEASURED)
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--epoch-crops", type=int, default=700_000)
    parser.add_argument("--start", default="none", metavar="ENCODER", help="Train this encoder further.")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--evaluations", type=int, default=200_000)
    parser.add_argument("--cnn-epochs", type=int, default=15)
    parser.add_argument("--only-encoder", action="store_true")
    parser.add_argument(
        "--plain", action="store_true", help="Train the encoder without shapes, swaps and perturbations."
    )
    parser.add_argument("--only-measured", action="store_true", help="Stop after the laws over shapes.")
    parser.add_argument(
        "--tune", action="store_true", help="Search RigL's settings before scheme 3 is trained."
    )
    options = parser.parse_args()
    study = Study.open_or_create(options.study)
    add_simulated(study, "labelled", phases=PAPER)
    add_simulated(study, "unlabelled", UNLABELLED, 1, labels=False)
    add_simulated(study, "wide", UNLABELLED, 2, domain="wide", labels=False)
    with progress() as monitor:
        said = {"monitor": monitor}
        if MEASURED not in classifiers.names(study) and not options.only_encoder:
            study.discover_law(
                inputs="shapes",
                name=MEASURED,
                evaluations=options.evaluations,
                max_complexity=MOST_NODES,
                **said,
            )
            apply_a_sum(study)
        if options.only_measured:
            return
        if not study.has_encoder or study.can_resume:
            made = study.train_encoder(
                epochs=4,
                start_from=options.start,
                epoch_crops=options.epoch_crops,
                threads=options.threads,
                resume=True,
                **(EncoderConfig.PLAIN if options.plain else {}),
                **said,
            )
            if not made.complete:
                return
        if options.only_encoder:
            return
        done = set(study.table1()["name"]) if len(study.table1()) else set()
        for scheme in (2, 3):
            if f"scheme{scheme}" not in done:
                if scheme == 3 and options.tune:
                    study.tune(**said)
                study.train_classifier(scheme, swaps=SWAPS, **said)
        for loss in ("hinge", "mse"):
            if f"scheme4-{loss}" not in done:
                study.discover_law(loss=loss, evaluations=options.evaluations, **said)
        if "scheme1" not in done:
            study.train_classifier(1, epochs=options.cnn_epochs, start_from="none", deformation=0, **said)
    show_table(study)


if __name__ == "__main__":
    main()
