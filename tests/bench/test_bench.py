"""The performance table's command: rows, JSON, missing peers and failing rows. The timing itself is not tested."""

from __future__ import annotations

import json
import sys
import time

import psutil
import pytest
from click.testing import CliRunner

from morpholaw.bench import ROWS
from morpholaw.bench.comparison import Comparison
from morpholaw.bench.run import measure_row, run_row
from morpholaw.cli import main

CONTRACT = {"ours", "peer", "peer_name", "ratio", "goal", "unit"}


def test_every_row_has_a_measurement():
    from importlib import import_module

    assert set(ROWS) == {
        "tcvae",
        "heads",
        "search",
        "fgsm",
        "crops",
        "classify",
        "laws",
        "growth",
        "busy",
        "gui",
        "startup",
    }
    for name in ROWS:
        assert callable(import_module(f"morpholaw.bench.{name}").measure)


def test_the_startup_row_is_measured_and_written_as_json(tmp_path):
    done = CliRunner().invoke(main, ["bench", "startup", "--json", str(tmp_path / "numbers.json")])
    assert done.exit_code == 0, done.output
    row = json.loads((tmp_path / "numbers.json").read_text())["startup"]
    assert set(row) >= CONTRACT | {"also", "machine", "peak_memory_mb", "ours_quartiles"}
    assert row["ratio"] == pytest.approx(row["peer"] / row["ours"], rel=0.01)
    assert 5 < row["peak_memory_mb"] < 500
    assert row["also"][0]["peer_name"] == "limit of morpholaw --help"
    assert "ratio" in done.output


def test_work_is_measured_beside_busy_processes_that_end_with_it(monkeypatch):
    from morpholaw.bench import busy

    monkeypatch.setattr(busy, "SETTLING", 0.0)
    monkeypatch.setattr(busy, "SECONDS", 0.1)
    me, beside = psutil.Process(), []

    def step():
        beside.append(sum("while True" in " ".join(child.cmdline()) for child in me.children()))
        time.sleep(0.01)
        return 3.0

    found = busy.rates(step)
    assert [len(rounds) for rounds in found] == [1] * 4
    assert all(0 < rate <= 300 for (rate,) in found)
    assert (
        {0, 1, 2, 4} <= set(beside) <= set(range(5))
    )  # one that has just been started may not have its name yet
    step()
    assert beside[-1] == 0


def test_an_unknown_row_is_one_sentence():
    done = CliRunner().invoke(main, ["bench", "speed"])
    assert done.exit_code == 2
    assert "no row 'speed'; the rows are tcvae, heads" in done.output


@pytest.mark.parametrize(("more_is_better", "expected"), [(True, 2.0), (False, 0.5)])
def test_a_ratio_above_one_is_ahead(more_is_better, expected):
    values = Comparison([20, 21, 19], [10, 10, 11], "peer", 1.5, "x", more_is_better).to_json()
    assert values["ratio"] == expected
    assert values["met"] is more_is_better


def test_a_missing_peer_is_said_and_ours_is_measured_all_the_same(monkeypatch):
    from morpholaw.bench import fgsm

    monkeypatch.setitem(sys.modules, "torchattacks", None)  # its import fails
    monkeypatch.setattr(fgsm, "MODELS", 1)
    monkeypatch.setattr(fgsm, "EPS", (0.1,))
    row = measure_row("fgsm")
    assert row["ours"] > 0
    assert row["peer"] is None
    assert row["ratio"] is None
    assert "torchattacks is not installed" in row["note"]


def test_a_row_that_fails_says_why_and_the_others_go_on(monkeypatch, tmp_path):
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("import sys\nif 'tcvae' in sys.orig_argv: sys.exit('no luck today')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    row = run_row("tcvae")
    assert row["ours"] is None
    assert row["note"].startswith("The row could not be measured:")
    assert row["note"].endswith("no luck today")


def test_the_commands_help_names_every_row():
    text = CliRunner().invoke(main, ["bench", "--help"]).output
    assert set(ROWS) <= set(text.split("Rows:")[1].split("A ratio")[0].replace(".", " ").split())
