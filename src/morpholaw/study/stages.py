"""The order of stages along the tracks of a study, as set by the user or learnt from labelled tracks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from morpholaw.evaluation.stage_order import StageOrder, learn_order
from morpholaw.store.study_folder import StudyFolder


def stage_order(folder: StudyFolder, classes: Sequence[str]) -> StageOrder | None:
    """Return the order of stages among some classes, as set in the study or learnt from its labelled tracks.

    Returns None if neither gives an order of two or more of the classes.
    """
    known = folder.class_record.stage_order
    if known is None:
        return learnt_order(folder, classes)
    cycle = tuple(name for name in known.cycle if name in classes)
    if len(cycle) < 2:
        return None
    return StageOrder(cycle, tuple(name for name in known.final if name in classes))


def learnt_order(folder: StudyFolder, classes: Sequence[str]) -> StageOrder | None:
    """Return the order of stages that the labelled tracks of a study show; None if they show none."""
    tables, labels, offset = [], [], 0
    for crop_set in folder.sets:
        cells = crop_set.cells[["track_id", "t", "parent"]]
        tracked = (cells["track_id"] >= 0).to_numpy() & (cells["t"] >= 0).to_numpy()
        if not tracked.any():
            continue
        cells = cells[tracked].astype(np.int64)
        linked = cells["parent"] >= 0
        tables.append(
            cells.assign(
                track_id=cells["track_id"] + offset,
                parent=np.where(linked, cells["parent"] + offset, -1),
            )
        )
        labels += folder.annotations.labels_for(crop_set)[tracked].tolist()
        offset = int(tables[-1]["track_id"].max()) + 1
    if not tables:
        return None
    return learn_order(pd.concat(tables, ignore_index=True), labels, tuple(classes))
