"""A study whose classes are conditions: whole replicates are held out, and one replicate is said to be none."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin, FileSource
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor
from morpholaw.store.overview import overview
from morpholaw.study import Study

QUICK = {"models": 2, "epochs": 6, "epoch_cells": 400, "learning_rate": 1e-2, "threads": 1}


@pytest.fixture(scope="module")
def screen(made_once) -> Study:
    """Six movies of ten tracks each, the shipped encoder; cells of three movies are in metaphase."""
    return Study(made_once("conditions", _make))


def _make(folder) -> None:
    study = Study.create(folder)
    for number in range(6):
        phase = "metaphase" if number >= 3 else "interphase"
        images, cells = simulate_crops(phases={phase: 40}, seed=number)
        track = np.arange(40) // 4
        cells = cells.assign(
            track_id=track, t=np.arange(40) % 4, label="", group=[f"movie{number}/{k}" for k in track]
        )
        source = FileSource(path="../../../movie.tif", fingerprint="0")
        origin = CropOrigin(kind="movie", sources=(source,), group_prefix=f"movie{number}")
        CropSet.write(study.path / "crops" / f"movie{number}", images, cells, origin)
    study.load_encoder("sample")


def table(replicates: int = 3) -> pd.DataFrame:
    """The conditions of the movies, the first ``replicates`` of each."""
    rows = [
        (f"movie{3 * place + k}", condition, str(k + 1))
        for place, condition in enumerate(("untreated", "drug"))
        for k in range(replicates)
    ]
    return pd.DataFrame(rows, columns=["movie", "condition", "replicate"])


def test_a_classifier_tells_conditions_apart_and_is_tested_on_whole_replicates(screen, tmp_path):
    study = screen.condition_study(tmp_path / "out", table())
    assert study.classes == ("untreated", "drug")
    cells = study.crops.cells
    assert (
        study.labels == np.where(cells["set"].isin(["movie3", "movie4", "movie5"]), "drug", "untreated")
    ).all()
    record = study.train_classifier(2, **QUICK)
    split = study.split()
    assert not set(cells["set"].iloc[split.train]) & set(cells["set"].iloc[split.test])
    assert record.classes == ("untreated", "drug")
    assert record.evaluation.test_groups == cells["set"].iloc[split.test].nunique()
    assert record.evaluation.ensemble_accuracy.value > 0.8
    folds = study.cross_validate(2, folds=3, **QUICK)
    assert {"shapes-logistic", "shapes-tree"} <= set(folds["classifier"])
    assert "frame_class" not in study.classify(2)


def test_crops_are_shared_and_sources_stay_found(screen, tmp_path):
    study = screen.condition_study(tmp_path / "elsewhere" / "out", table())
    for one in study.sets:
        own = screen.crop_set(one.name)
        np.testing.assert_array_equal(one.images, own.images)
        found, was = one.folder / one.record.sources[0].path, own.folder / own.record.sources[0].path
        assert os.path.normpath(found) == os.path.normpath(was)
    assert (screen.labels == "").all()


def test_one_replicate_is_a_movie_and_not_a_condition(screen, tmp_path):
    said: list[str] = []
    monitor = Monitor(lambda event: said.append(event.text) if isinstance(event, Message) else None)
    study = screen.condition_study(tmp_path / "out", table(replicates=1), monitor=monitor)
    sentence = "conditions cannot be separated from movies"
    assert sum(sentence in text for text in said) == 1
    assert any(sentence in text for text in overview(study).warnings)
    said.clear()
    study.train_classifier(2, **QUICK, monitor=monitor)
    assert any(sentence in text for text in said)
    # It can be trained at all because families, which are never split, stand in for replicates.
    split = study.split()
    assert not set(study.crops.cells["group"].iloc[split.train]) & set(
        study.crops.cells["group"].iloc[split.test]
    )


def test_conditions_are_no_stages_of_a_cell(screen, tmp_path):
    study = screen.condition_study(tmp_path / "out", table())
    with pytest.raises(InputError, match="conditions and not stages"):
        study.timeline(2)


def test_a_table_with_one_condition_leaves_nothing_behind(screen, tmp_path):
    with pytest.raises(InputError, match="single condition, drug; at least two"):
        screen.condition_study(tmp_path / "out", table().assign(condition="drug"))
    assert not (tmp_path / "out").exists()


def test_the_command_makes_the_study(screen, tmp_path):
    table().to_csv(tmp_path / "conditions.csv", index=False)
    arguments = ["condition-study", "--study", screen.path, "--conditions", tmp_path / "conditions.csv"]
    done = CliRunner().invoke(main, [str(one) for one in [*arguments, "--out", tmp_path / "out"]])
    assert done.exit_code == 0, done.output
    assert "120 cells of untreated, 120 cells of drug" in done.output
    assert Study(tmp_path / "out").has_encoder
