"""Tuning on few groups says which class lacks them."""

import pytest

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.errors import InputError
from morpholaw.study import Study


def test_tuning_on_two_groups_of_a_class_names_the_class(tmp_path):
    study = Study.create(tmp_path / "study")
    images, cells = simulate_crops(phases={"interphase": 4, "metaphase": 6}, seed=0)
    rare = cells["label"] == "interphase"
    cells.loc[rare, "group"] = [f"movie{i % 2}" for i in range(rare.sum())]
    CropSet.write(study.path / "crops" / "cells", images, cells, CropOrigin(kind="simulated"))
    study.load_encoder("sample")
    with pytest.raises(InputError, match=r"training cells once more.*'interphase' comes from 1 group"):
        study.tune(trials=1, runs=1, epochs=2)
