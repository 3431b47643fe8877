"""Cells on a sheet are on the side of the law that their row says, and the applied law is the first."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.interpretation.sheet import sheet_of
from morpholaw.store import classifiers


def test_rows_are_typical_or_nearest_to_the_boundary():
    scores = np.concatenate([np.linspace(-3, -0.1, 30), np.linspace(0, 2, 21), [np.nan]])
    sheet = sheet_of(scores, ("a", "b"))
    typical_a, near_a, near_b, typical_b = (scores[row] for row in sheet.rows)
    assert np.all(near_a < 0)
    assert np.all(near_b >= 0)
    assert near_a.tolist() == sorted(scores[scores < 0])[-5:]
    assert near_b.tolist() == sorted(scores[scores >= 0])[:5]
    assert np.abs(typical_a - np.median(scores[scores < 0])).max() < 0.4
    assert np.abs(typical_b - 1.0).max() < 0.4
    assert len(np.unique(np.concatenate(sheet.rows))) == 20
    few = sheet_of(np.array([-1.0, 2.0, 3.0]), ("a", "b"))
    assert sorted(np.concatenate(few.rows).tolist()) == [0, 1, 2]
    with pytest.raises(InputError, match="no value for any"):
        sheet_of(np.array([np.nan]), ("a", "b"))


def test_a_study_draws_a_sheet_and_the_command_prints_the_answers(study, tmp_path):
    sheet = study.law_sheet(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 5_000
    scores = study.laws()[0].score(study.latents()[0].astype(float))
    for row, shown, above in zip(sheet.cells, sheet.scores, (False, False, True, True), strict=True):
        np.testing.assert_allclose(scores[row], shown, atol=1e-4)
        assert np.all((shown >= 0) == above)
    out = tmp_path / "quiz.png"
    result = CliRunner().invoke(
        main, ["law-sheet", "--study", str(study.path), "--unlabelled", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert out.exists()
    assert "Answers: 1 " in result.output
    with pytest.raises(InputError, match="ending in"):
        study.law_sheet(tmp_path / "sheet.gif")


def test_the_applied_law_is_the_first_and_is_measured(study):
    before = classifiers.record(study, "scheme4-hinge")
    chosen = before.laws[1]
    result = CliRunner().invoke(main, ["apply-law", "--study", str(study.path), "--law", "2"])
    assert result.exit_code == 0, result.output
    after = classifiers.record(study, "scheme4-hinge")
    assert after.laws[0] == chosen
    assert set(after.laws) == set(before.laws)
    assert after.evaluation.accuracy[0] == before.evaluation.accuracy[1]
    assert after.evaluation.ensemble_accuracy.value == pytest.approx(after.evaluation.accuracy[0])
    cells = study.latents()[0].astype(float)
    np.testing.assert_allclose(study.classify(4)["score"], chosen.score(cells), atol=1e-4)
    with pytest.raises(InputError, match="no law 9"):
        study.apply_law(8)
