"""The search of scheme 3's settings for a study (paper, B.3.1)."""

from __future__ import annotations

from typing import Any

from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.events import Report, ShouldStop, never, silent
from morpholaw.study import encoder_step
from morpholaw.study.folder import StudyFolder, provenance
from morpholaw.study.labelled import labelled_cells


def tune(
    folder: StudyFolder, config: TuneConfig, report: Report = silent, should_stop: ShouldStop = never
) -> dict[str, Any]:
    """Placeholder until training.tune lands."""
    raise NotImplementedError(
        (folder, config, report, should_stop, encoder_step, labelled_cells, provenance, ClassifierConfig, Any)
    )
