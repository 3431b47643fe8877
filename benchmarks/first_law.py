"""How soon a search shows a good law: accuracy of the best law so far on held-out cells, against CPU seconds.

Run ``python benchmarks/first_law.py [--all-latents]``. It uses the shipped sample and encoder, and the latents that the
shipped scheme 3 kept, or all 32. The search runs in one process; CPU seconds count from its start.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from morpholaw.config import ClassifierConfig
from morpholaw.events import Event, Front, Monitor
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.classifier import Classifier
from morpholaw.models.expressions import parse
from morpholaw.sample import sample_folder
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.study import Study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all-latents", action="store_true")
    parser.add_argument("--count", type=int, default=2)
    options = parser.parse_args()
    scheme3 = Classifier.load(sample_folder() / "classifiers" / "scheme3")
    latents = usual_inputs([scheme3.head.kept_inputs(k) for k in range(scheme3.head.members)])
    if options.all_latents:
        latents = tuple(range(scheme3.encoder.latents))
    with tempfile.TemporaryDirectory() as place:
        study = Study.create(Path(place) / "study")
        shutil.copytree(sample_folder() / "labelled", study.path / "crops" / "labelled")
        study.load_encoder("sample")
        test = labelled_cells(study, ClassifierConfig())
        columns, positive = study.latents()[0][test.test], test.test_targets == 1

        def accuracy(law: str) -> float:
            score = parse(law, [f"z{k}" for k in range(columns.shape[1])]).evaluate(columns)
            return float(np.mean([np.mean(score[positive] >= 0), np.mean(score[~positive] < 0)]))

        shown: list[tuple[float, str]] = []
        began = time.process_time()

        def hear(event: Event) -> None:
            if isinstance(event, Front) and event.law != (shown[-1][1] if shown else ""):
                shown.append((time.process_time() - began, event.law))

        study.discover_law(latents=latents, count=options.count, processes=1, monitor=Monitor(hear))
        seconds = time.process_time() - began
        print(f"{len(latents)} latents, {options.count} searches, {seconds:.0f} s in all")
        print("| s | held-out accuracy, classes alike | law so far |\n| --- | --- | --- |")
        for after, law in shown:
            print(f"| {after:.1f} | {accuracy(law):.3f} | `{law}` |")


if __name__ == "__main__":
    main()
