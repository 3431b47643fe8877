"""A search that begins with a law finds a better one, and resampled groups say how stable a law is."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor, Progress
from morpholaw.models.expressions import parse
from morpholaw.store import classifiers
from morpholaw.store.law_stability import stability_sentence
from morpholaw.study import Study
from morpholaw.training.laws import improve_law

NAMES = ("a", "b", "c")
QUICK = LawConfig(count=1, evaluations=2_000, processes=1, max_complexity=9)


def planted(rows: int = 400):
    x = np.random.default_rng(0).normal(size=(rows, 3))
    return x, (x[:, 0] - x[:, 1] > 0).astype(int)


def test_a_search_begins_with_the_law_and_returns_a_better_one():
    from morpholaw.models.features import FeatureTable

    x, targets = planted()
    table = FeatureTable(x, NAMES)
    better = improve_law(table, targets, parse("a + 0.3", NAMES), QUICK)
    assert better is not None
    assert better.metadata["accuracy"] > 0.95
    assert better.metadata["improved_from"] == "a + 0.3"
    again = improve_law(table, targets, better.expression, QUICK.model_copy(update={"evaluations": 1_000}))
    assert again is None or again.metadata["loss"] <= better.metadata["loss"]
    with pytest.raises(InputError, match="does not support max"):
        improve_law(table, targets, parse("max(a, b)", NAMES), QUICK)


@pytest.fixture(scope="module")
def shape_study(tmp_path_factory):
    study = Study.create(tmp_path_factory.mktemp("shapes") / "study")
    study.progress = False
    images, cells = simulate_crops(phases={"interphase": 60, "metaphase": 60}, seed=5)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.discover_law(
        inputs="shapes",
        shapes=("width", "contrast"),
        count=2,
        evaluations=2_000,
        processes=1,
        max_complexity=7,
    )
    return study


def test_a_study_keeps_what_is_better_and_says_when_nothing_is(shape_study):
    before = classifiers.record(shape_study, "scheme4-hinge")
    said = []
    first = shape_study.improve_law(1, evaluations=1_000, monitor=Monitor(said.append))
    after = classifiers.record(shape_study, "scheme4-hinge")
    assert after.laws[0] == first
    messages = [event.text for event in said if isinstance(event, Message)]
    improved = any("better law was found and is now law 1" in text for text in messages)
    assert improved or any("No better law" in text for text in messages)
    assert {law.text() for law in before.laws} <= {law.text() for law in after.laws} | {first.text()}
    assert after.evaluation.ensemble_accuracy.value > 0.8


def test_resampled_groups_say_how_often_inputs_come_back(shape_study):
    found = shape_study.law_stability(resamples=3, evaluations=1_000)
    assert found.searches == 3
    for one in found.inputs:
        assert 0 <= (one.same_direction or 0) <= one.found <= 3
    assert found.inputs[0].name in found.text
    assert "3 searches on resampled groups" in found.text
    result = CliRunner().invoke(
        main,
        ["law-stability", "--study", str(shape_study.path), "--resamples", "1", "--evaluations", "1000"],
    )
    assert result.exit_code == 0, result.output
    assert "In one search on resampled groups" in result.output
    law = shape_study.laws()[0].text()
    assert stability_sentence(shape_study, "scheme4-hinge", law) in result.output
    assert stability_sentence(shape_study, "scheme4-hinge", "another") == ""
    with pytest.raises(InputError, match="no law 9"):
        shape_study.law_stability(8)


def test_a_stopped_measurement_of_stability_does_not_replace_a_complete_one(shape_study):
    law, said = shape_study.laws()[0].text(), []
    complete = shape_study.law_stability(resamples=3, evaluations=1_000)

    def should_stop() -> bool:
        return Progress(1, 3, "resample") in said

    stopped = shape_study.law_stability(
        resamples=3, evaluations=1_000, monitor=Monitor(said.append, should_stop)
    )
    assert stopped.searches == 1
    assert stability_sentence(shape_study, "scheme4-hinge", law) == complete.text
    assert "Stopped after 1 of 3 searches: the stability on display is unchanged." in [
        event.text for event in said if isinstance(event, Message)
    ]
