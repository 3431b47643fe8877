"""Steps of a study display their progress unless a monitor is given or the study is told to be silent."""

from __future__ import annotations

import pytest

from morpholaw import progress_bar
from morpholaw.events import SILENT, Front, Message, Metrics, Monitor, Progress
from morpholaw.progress_bar import shows_progress


class Owner:
    progress = True

    @shows_progress
    def step(self, count: int, monitor: Monitor = SILENT) -> int:
        monitor.emit(Message("Begun."))
        monitor.emit(Message("Few cells.", "warning"))
        for done in range(count):
            monitor.emit(Metrics(done, {"loss": 0.5}))
            if done == 1:
                monitor.emit(Front([3], [0.5], "z1 - 0.2"))
            monitor.emit(Progress(done, count, "train"))
        monitor.emit(Progress(0, 1, "next"))
        return count


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(progress_bar, "EVERY", 0.0)


def test_where_there_is_no_terminal_messages_and_shares_are_lines(capsys):
    assert Owner().step(2) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == [
        "Begun.",
        "Warning: Few cells.",
        "train 0%  loss 0.5",
        "train 50%  z1 - 0.2",
        "next 0%",
    ]


def test_a_silent_study_and_one_with_a_monitor_write_nothing(capsys):
    owner, events = Owner(), []
    assert owner.step(2, Monitor(events.append)) == 2
    assert owner.step(2, monitor=SILENT) == 2
    owner.progress = False
    assert owner.step(2) == 2
    assert capsys.readouterr().err == ""
    assert len(events) == 8


def test_a_script_sees_its_study_at_work(trained_study, capsys):
    trained_study.classify(3)
    assert "score" in capsys.readouterr().err
