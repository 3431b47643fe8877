"""A formula of one's own on the held-out cells."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import Law
from morpholaw.store import classifiers


def test_a_rule_over_shapes_is_measured_beside_the_laws(study):
    shapes = study.shapes()
    limit = float(np.median(shapes["area"]))
    found = study.test_law(f"area < {limit} and axis_ratio > 1.2")
    cells, targets = study.held_out("scheme4-hinge")
    holds = (shapes["area"] < limit) & (shapes["axis_ratio"] > 1.2)
    right = holds.to_numpy()[cells] == targets
    assert found.tested.accuracy.value == pytest.approx(right.mean())
    assert found.wrong.tolist() == cells[~right].tolist()
    assert found.units == {"area": "px²"}  # the scale of these crops is not known
    laws = study.laws()
    assert len(found.found) == len(laws)
    for tested, law in zip(found.found, laws, strict=True):
        calls = law.predict(study.latents()[0][cells].astype(float))
        assert tested.differs == np.count_nonzero(calls != holds.to_numpy()[cells])
        assert tested.accuracy.value == pytest.approx(np.mean(calls == targets))


def test_a_law_that_was_found_gets_the_accuracy_that_it_had(study):
    law = study.laws()[0]
    found = study.test_law(law.text())
    assert found.tested.accuracy == found.found[0].accuracy
    assert found.found[0].differs == 0


def test_the_rule_may_be_that_of_the_other_class(study):
    one, other = study.test_law("area > 100.5"), study.test_law("area < 100.5", class_name="interphase")
    assert other.classes == ("metaphase", "interphase")
    assert other.tested.accuracy == one.tested.accuracy
    assert [law.differs for law in other.found] == [law.differs for law in one.found]
    same = study.test_law("area > 100.5", class_name="interphase")
    assert same.tested.accuracy.value == pytest.approx(1 - one.tested.accuracy.value)
    assert [law.differs for law in same.found] == [same.cells - law.differs for law in one.found]


def test_a_formula_that_guesses_and_one_of_the_other_class_are_doubted(study):
    truth = study.labels == "metaphase"
    shapes = study.shapes()
    middle = float(np.mean([np.median(shapes["area"][truth]), np.median(shapes["area"][~truth])]))
    assert study.test_law(f"area < {middle}").doubt == ""
    assert (
        "worse than guessing; it may be that of the other class" in study.test_law(f"area > {middle}").doubt
    )
    assert study.test_law("area < 0").doubt == "The formula is not significantly better than guessing."


def test_what_cannot_be_tested_is_refused(study):
    with pytest.raises(InputError, match="'girth' is not one of its variables"):
        study.test_law("girth < 2")
    with pytest.raises(InputError, match="has no variable"):
        study.test_law("1 + 1")
    with pytest.raises(InputError, match="no class 'anaphase'"):
        study.test_law("area < 2", class_name="anaphase")


def test_the_command_prints_accuracy_interval_and_the_laws(study):
    result = CliRunner().invoke(main, ["test-law", "--study", str(study.path), "log(area - 60) > 2"])
    assert result.exit_code == 0, result.output
    assert "metaphase where log(area - 60) > 2, else interphase, area in px²." in result.output
    assert "held-out cells" in result.output
    assert "law 2: " in result.output
    assert CliRunner().invoke(main, ["test-law", "--study", str(study.path), "area <"]).exit_code == 2


def test_a_cell_is_explained_by_the_study_and_the_command(study):
    calls = study.laws()[0].predict(study.latents()[0].astype(float))
    found = study.explain_cell(3)
    assert found.predicted == ("interphase", "metaphase")[calls[3]]
    result = CliRunner().invoke(main, ["explain-cell", "--study", str(study.path), "--cell", "3"])
    assert result.exit_code == 0, result.output
    assert found.text in result.output
    both = study.explain_cells([3, 4])
    assert both[0].score == pytest.approx(
        found.score, rel=1e-5
    )  # cells that are encoded together round otherwise
    assert [one.text for one in both] == [found.text, study.explain_cell(4).text]
    result = CliRunner().invoke(
        main, ["explain-cell", "--study", str(study.path), "--cell", "3", "--cell", "4"]
    )
    assert all(one.text in result.output for one in both)
    with pytest.raises(InputError, match="no cell 999"):
        study.explain_cell(999)
    with pytest.raises(InputError, match="no law 9"):
        study.explain_cell(3, law=8)


def test_a_printed_law_assigns_the_cells_to_the_same_classes_as_the_law(study):
    values = np.unique(study.latents()[0][:, 0].astype(float))
    middles = (values[1:] + values[:-1]) / 2
    limit = next(
        one for one in middles if (values < one).sum() != (values < float(f"{one:.3g}")).sum() and one > 0
    )
    law = Law.parse(f"z0 - ({float(limit)!r})", ["z0"])
    study.add_classifier(Classifier.with_laws(study.encoder, [law], ("interphase", "metaphase")), "by-hand")
    shown = CliRunner().invoke(main, ["info", "--study", str(study.path)]).output
    printed = Law.parse(re.search(r"law: metaphase where (z0 .*) >= 0", shown)[1], ["z0"])
    z = study.latents()[0].astype(float)
    assert printed.predict(z).tolist() == law.predict(z).tolist()
    assert len(printed.text()) < len(law.text())
    listed = study.test_law("z0 > 0", name="by-hand").found[0].text
    assert listed == printed.text()
    assert classifiers.load(study, "by-hand").laws[0].latex().split()[-1] == printed.text().split()[-1]
