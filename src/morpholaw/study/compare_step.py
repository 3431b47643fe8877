"""How often the classifiers of a study call a test cell alike."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.config import ClassifierConfig
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.metrics import member_agreement
from morpholaw.evaluation.performance import median_score
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.store import classifiers
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.study_folder import StudyFolder


def compare(folder: StudyFolder, monitor: Monitor = SILENT) -> pd.DataFrame:
    """A row a classifier: its name, then the share of test cells that it and each calls alike.

    The table is empty where it was stopped.
    """
    names = classifiers.names(folder)
    scores: list[np.ndarray] = []
    crops = np.empty(0)
    for number, name in enumerate(names):
        monitor.emit(Progress(number, len(names), "comparing calls"))
        classifier = classifiers.load(folder, name)
        if not scores:
            config = ClassifierConfig(negative=classifier.negative, positive=classifier.positive)
            crops = folder.crops[labelled_cells(folder, config).test]
        scores.append(
            median_score(score_crops(classifier, crops, monitor=Monitor(should_stop=monitor.should_stop)))
        )
        if monitor.should_stop():
            return pd.DataFrame({"classifier": []})
    shares = member_agreement(np.stack(scores)) if scores else np.empty((0, 0))
    return pd.DataFrame({"classifier": names, **{name: shares[:, k] for k, name in enumerate(names)}})
