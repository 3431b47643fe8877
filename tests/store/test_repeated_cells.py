"""A cell that is in a study twice can be in training and in test, which is said."""

import numpy as np

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.events import Message, Monitor
from morpholaw.store.repeated_cells import repeated_cells, tell_repeated_cells
from morpholaw.study import Study


def written(study, name, images, cells):
    cells = cells.assign(group=[f"{name}/{k}" for k in range(len(cells))])
    CropSet.write(study.path / "crops" / name, images, cells, CropOrigin(kind="simulated"))


def test_copies_of_cells_in_a_second_set_are_counted(tmp_path):
    study, texts = Study.create(tmp_path / "study"), []
    images, cells = simulate_crops(phases={"interphase": 12, "metaphase": 12}, seed=0)
    images[3] = 0  # blank crops are alike, but no copies
    images[4] = 0
    written(study, "first", images, cells)
    monitor = Monitor(lambda event: texts.append(event.text) if isinstance(event, Message) else None)
    tell_repeated_cells(study, (), monitor)
    assert not texts
    others, more = simulate_crops(phases={"interphase": 12, "metaphase": 12}, seed=1)
    others[:5] = images[:5]
    written(study, "second", others, more)
    study = Study(study.path)
    twice = repeated_cells(study, np.arange(48))
    assert np.flatnonzero(twice).tolist() == [0, 1, 2, 24, 25, 26]
    tell_repeated_cells(study, (), monitor)
    assert texts == [texts[0]]
    assert texts[0].startswith("6 labelled cells of 48 have the same pixels as a cell of another group")
