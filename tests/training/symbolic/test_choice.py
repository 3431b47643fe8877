"""The engine is named with the reason it was taken."""

import pytest

from morpholaw.errors import InputError
from morpholaw.training.symbolic import Availability, choose_engine
from morpholaw.training.symbolic.julia import note_run
from morpholaw.training.symbolic.pysr_engine import PySREngine


@pytest.fixture(params=[True, False])
def ready(request, monkeypatch):
    monkeypatch.setattr(PySREngine, "availability", lambda self: Availability(request.param, "Julia says so"))
    return request.param


def test_auto_takes_pysr_where_it_has_run_before(ready, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(tmp_path))
    engine, reason = choose_engine("auto")
    assert engine.name == "embedded"
    assert ("has not run here yet" if ready else "Julia says so") in reason
    note_run()
    engine, reason = choose_engine("auto")
    assert engine.name == ("pysr" if ready else "embedded")
    assert "Julia says so" in reason


def test_pysr_is_taken_or_refused_when_asked_for(ready):
    if ready:
        assert choose_engine("pysr")[0].name == "pysr"
    else:
        with pytest.raises(InputError, match="Julia says so"):
            choose_engine("pysr")


def test_embedded_is_always_there():
    assert choose_engine("embedded")[0].availability().ready


def test_an_unknown_engine_is_refused_with_those_known():
    with pytest.raises(InputError, match="auto, pysr and embedded"):
        choose_engine("feyn")
