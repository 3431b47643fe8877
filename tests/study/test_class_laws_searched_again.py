"""Laws of several classes of a study: searched on from, and searched for anew on resampled groups."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor
from morpholaw.store import classifiers
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.law_stability import stability_sentence
from morpholaw.study import Study
from morpholaw.study.law_stability_step import rows_of_drawn_groups

PHASES = ("interphase", "metaphase", "anaphase")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study.create(tmp_path_factory.mktemp("phases") / "study")
    study.progress = False
    images, cells = simulate_crops(phases=dict.fromkeys(PHASES, 40), seed=5)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.discover_law(
        classes=PHASES, inputs="shapes", shapes=("width", "contrast", "axis_ratio"), count=1, evaluations=1_000,
        processes=1,
    )  # fmt: skip
    return study


def test_the_law_of_a_class_is_searched_on_from(study):
    before = study.class_laws()
    said = []
    law = study.improve_law(
        class_name="anaphase", expression="0 - width", evaluations=1_000, monitor=Monitor(said.append)
    )
    after = study.class_laws()
    assert law == after.laws["anaphase"]
    messages = " ".join(event.text for event in said if isinstance(event, Message))
    assert ("A better law of anaphase" in messages) == (after != before)
    assert "better law of anaphase was found" in messages
    for name in ("interphase", "metaphase"):
        assert after.laws[name].expression.variables() == before.laws[name].expression.variables()
    record = classifiers.record(study, "scheme4-hinge")
    test = labelled_cells(study, record.config).test
    right = study.classify(4)["class"].to_numpy()[test] == study.labels[test]
    assert record.evaluation.ensemble_accuracy.value == pytest.approx(right.mean())


def test_the_class_must_be_one_that_has_a_law(study):
    with pytest.raises(InputError, match=r"name the one to improve: interphase, metaphase, anaphase"):
        study.improve_law()
    with pytest.raises(InputError, match="no law for the class 'mitosis'"):
        study.improve_law(class_name="mitosis")


def test_resampled_groups_say_how_often_inputs_of_each_class_come_back(study):
    found = study.law_stability(resamples=2, evaluations=1_000)
    assert found.searches == 2
    assert tuple(found.by_class) == PHASES
    laws = study.class_laws()
    for name, one in found.by_class.items():
        assert [given.name for given in one.inputs] == list(laws.laws[name].expression.variables())
        assert all((given.same_direction or 0) <= 2 and given.found <= 2 for given in one.inputs)
        assert stability_sentence(study, "scheme4-hinge", laws.laws[name].text()) == one.text
    assert len(found.accuracies) == 2
    assert "metaphase: In 2 searches on resampled groups" in found.text


def test_groups_are_drawn_until_every_class_is_among_them():
    """One group in four has all cells of the second class, so that a third of the draws have none of them."""
    groups = np.repeat(["a", "b", "c", "d"], 5)
    targets = (groups == "d").astype(int)
    for seed in range(20):
        rows, left_out = rows_of_drawn_groups(groups, targets, np.random.default_rng(seed))
        assert len(rows) == len(groups)
        assert set(targets[rows]) == {0, 1}
        assert set(groups[rows]) | set(groups[left_out]) == {"a", "b", "c", "d"}
        assert not set(rows) & set(left_out)


def test_groups_of_one_class_each_are_too_few_to_draw_from():
    groups = np.array([f"movie {number}" for number in range(16)])
    with pytest.raises(InputError, match=r"16 groups .* Label cells of each class in more groups"):
        rows_of_drawn_groups(groups, np.arange(16), np.random.default_rng(0))


def test_the_commands_do_the_same(study):
    place = ["--study", str(study.path)]
    result = CliRunner().invoke(main, ["law-stability", *place, "--resamples", "1", "--evaluations", "1000"])
    assert result.exit_code == 0, result.output
    assert "anaphase: In one search" in result.output
    result = CliRunner().invoke(
        main, ["improve-law", *place, "--class", "metaphase", "--evaluations", "1000"]
    )
    assert result.exit_code == 0, result.output
    assert "The law of metaphase" in result.output
    result = CliRunner().invoke(main, ["improve-law", *place])
    assert result.exit_code == 2
    assert "name the one to improve" in result.output
