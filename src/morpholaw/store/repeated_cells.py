"""Warning about labelled cells that are in a study twice, which can be both in training and in test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.cells.crops import one_grey_value
from morpholaw.display import counted
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.store.labelled_cells import all_labels, chosen_classes
from morpholaw.store.study_folder import StudyFolder


def repeated_cells(folder: StudyFolder, cells: np.ndarray) -> np.ndarray:
    """Return which cells have the same pixels as one of another group, such as copies in another crop set.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    cells : ndarray, int64 (n,)
        Indices into its crops.

    Returns
    -------
    ndarray, bool (n,)
        Crops with the same grey value in all pixels do not count.
    """
    crops = folder.crops
    groups = crops.cells["group"].to_numpy(str)
    first: dict[str, int] = {}
    repeated = set()
    for crop_set, offset in zip(crops.sets, crops.offsets[:-1], strict=True):
        mine = cells[(cells >= offset) & (cells < offset + len(crop_set))]
        for crop, mark in crop_set.marks((mine - offset).tolist()).items():
            earlier = first.setdefault(mark, int(offset) + crop)
            if groups[earlier] != groups[offset + crop]:
                repeated |= {earlier, int(offset) + crop}
    doubtful = np.array(sorted(repeated), np.int64)
    if len(doubtful):
        doubtful = doubtful[~one_grey_value(crops[doubtful])]
    return np.isin(cells, doubtful)


def tell_repeated_cells(folder: StudyFolder, classes: Sequence[str], monitor: Monitor) -> None:
    """Emit a warning if labelled cells of a setting ``classes`` (see `chosen_classes`) are in several groups."""
    try:
        cells = np.flatnonzero(np.isin(all_labels(folder), chosen_classes(folder, classes)))
        count = int(repeated_cells(folder, cells).sum())
    except InputError:  # reported by the step
        return
    if count:
        monitor.warn(
            f"{counted(count, 'labelled cell')} of {len(cells):,} have the same pixels as a cell of another group "
            "(track or movie). The copies can be in training and in test, and the accuracy on held-out cells is "
            "then too high. Delete the crop set that holds them a second time."
        )
