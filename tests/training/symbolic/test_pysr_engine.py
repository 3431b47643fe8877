"""PySR stays in its child process: here a stand-in plays the child, and the real one's signature is read, not run."""

import ast
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.training.symbolic.engine import Availability, Budget, SearchSpec
from morpholaw.training.symbolic.julia import julia_ready
from morpholaw.training.symbolic.pysr_child import LOSSES, pysr_settings
from morpholaw.training.symbolic.pysr_engine import EngineFailure, PySREngine, read_front

NAMES = ("z3", "z17")
X = np.random.default_rng(0).standard_normal((100, 2))
Y = np.where(X[:, 0] > X[:, 1] ** 2, 1.0, -1.0)

CSV = """Complexity,Loss,Equation
1,0.9,"z3"
4,0.5,"z3 - square(z17)"
5,0.4,"z3 - __import__('os')"
9,nan,"NaN"
12,0.3,"(z3 - (z17 ^ 2)) * 2.5e0 + abs(-1.5)"
"""


def stand_in(tmp_path, body):
    """A child that does what PySR would, without it."""
    script = tmp_path / "child.py"
    script.write_text(
        "import json, pathlib, signal, sys, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "settings = json.loads((folder / 'settings.json').read_text())\n"
        "(folder / 'search').mkdir()\n"
        f"csv = {CSV!r}\n" + body
    )
    return PySREngine([sys.executable, str(script)])


def spec(**changes):
    return SearchSpec(NAMES, **changes)


def test_expressions_are_read_and_counted_by_our_own_code(tmp_path):
    engine = stand_in(tmp_path, "(folder / 'search' / 'hall_of_fame.csv').write_text(csv)\n")
    result = engine.search(X, Y, spec(seed=3))
    assert result.engine == "pysr"
    assert result.seed == 3
    assert [c.text for c in result.front][:2] == ["z3", "z3 - square(z17)"]
    assert [c.complexity for c in result.front] == [c.expression.complexity() for c in result.front]
    perfect = result.front[-1]
    assert perfect.loss == pytest.approx(np.mean(np.maximum(1 - Y * perfect.expression.evaluate(X), 0)))


def test_the_backup_is_read_first(tmp_path):
    run = tmp_path / "search"
    run.mkdir()
    (run / "hall_of_fame.csv").write_text("Complexity,Loss,Equa")
    (run / "hall_of_fame.csv.bak").write_text(CSV)
    assert len(read_front(tmp_path, X, Y, spec())) >= 2


def test_progress_comes_from_the_hall_of_fame(tmp_path):
    seen = []
    engine = stand_in(tmp_path, "(folder / 'search' / 'hall_of_fame.csv').write_text(csv)\ntime.sleep(1)\n")
    engine.search(X, Y, spec(), progress=seen.append)
    assert seen[0].best == 0.3
    assert (4, 0.5) in seen[0].front


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no SIGINT for a child; it is terminated there"
)
@pytest.mark.parametrize("deaf", [False, True], ids=["graceful", "deaf"])
def test_a_stop_interrupts_and_then_terminates(tmp_path, deaf):
    body = (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        if deaf
        else "signal.signal(signal.SIGINT, lambda *a: sys.exit(0))\n"
    ) + "(folder / 'search' / 'hall_of_fame.csv').write_text(csv)\ntime.sleep(60)\n"
    engine, seen = stand_in(tmp_path, body), []
    result = engine.search(
        X, Y, spec(), progress=lambda p: seen.append(time.monotonic()), should_stop=lambda: bool(seen)
    )
    assert time.monotonic() - seen[0] < 2
    assert result.stopped_by == "cancel"
    assert len(result.front) >= 2


def test_a_child_that_fails_says_why_in_one_sentence(tmp_path):
    engine = stand_in(tmp_path, "raise RuntimeError('no Julia here')\n")
    with pytest.raises(EngineFailure, match="no Julia here"):
        engine.search(X, Y, spec())


def test_the_child_is_given_data_and_settings(tmp_path):
    body = (
        "import numpy as np\n"
        "data = np.load(folder / 'data.npz')\n"
        "assert data['x'].shape == (100, 2) and set(data['y']) == {-1, 1}\n"
        "assert settings['variables'] == ['z3', 'z17'] and settings['seed'] == 7\n"
        "import os; assert os.environ['PYTHON_JULIAPKG_OFFLINE'] == 'yes'\n"
        "(folder / 'search' / 'hall_of_fame.csv').write_text(csv)\n"
    )
    assert stand_in(tmp_path, body).search(X, Y, spec(seed=7)).front


def test_a_name_that_julia_or_sympy_would_misread_is_refused():
    with pytest.raises(InputError, match="'S'"):
        PySREngine(["false"]).search(X, Y, SearchSpec(("z3", "S")))


def settings_for(loss, tmp_path):
    values = json.loads(
        json.dumps(
            {
                **{k: getattr(spec(), k) for k in ("binary", "unary", "constant_cost", "variable_cost")},
                **{k: getattr(spec(), k) for k in ("max_complexity", "parsimony", "seed", "variables")},
                "costs": dict(spec().costs),
                "loss": loss,
                "max_evaluations": Budget().max_evaluations,
                "max_seconds": None,
            }
        )
    )
    return pysr_settings(values, tmp_path)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_settings_are_those_of_appendix_b4(loss, tmp_path):
    settings = settings_for(loss, tmp_path)
    assert settings["binary_operators"] == ["+", "-", "*", "/"]
    assert sorted(settings["unary_operators"]) == ["abs", "exp", "log", "sin", "sqrt", "square"]
    assert settings["complexity_of_operators"] == {"sin": 3, "exp": 2, "log": 2}
    assert (settings["parsimony"], settings["maxsize"]) == (0.001, 20)
    assert settings["deterministic"]
    assert settings["parallelism"] == "serial"


def test_every_keyword_is_one_of_the_installed_pysr(tmp_path):
    package = importlib.util.find_spec("pysr")
    if package is None:
        pytest.skip("pysr is not installed")
    tree = ast.parse((Path(package.submodule_search_locations[0]) / "sr.py").read_text(encoding="utf-8"))
    regressor = next(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == "PySRRegressor")
    init = next(n for n in regressor.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    known = {argument.arg for argument in [*init.args.args, *init.args.kwonlyargs]}
    assert set(settings_for("hinge", tmp_path)) <= known


def test_probing_imports_neither_pysr_nor_julia():
    code = (
        "import sys; from morpholaw.training.symbolic.choice import choose_engine; choose_engine('auto');"
        "assert not {'pysr', 'juliacall', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_half_of_juliacalls_settings_is_not_enough(monkeypatch):
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", "/usr/bin/julia")
    monkeypatch.delenv("PYTHON_JULIACALL_PROJECT", raising=False)
    state = julia_ready()
    assert isinstance(state, Availability)
    assert not state.ready


def test_a_record_of_julia_makes_it_ready(monkeypatch, tmp_path):
    state = pytest.importorskip("juliapkg.state").STATE
    record = tmp_path / "meta.json"
    monkeypatch.setitem(state, "meta", str(record))
    monkeypatch.delenv("PYTHON_JULIACALL_EXE", raising=False)
    monkeypatch.delenv("PYTHON_JULIACALL_PROJECT", raising=False)
    if importlib.util.find_spec("pysr") is None:
        pytest.skip("pysr is not installed")
    assert not julia_ready().ready
    for executable, packages, ready in [
        (sys.executable, [{"name": "SymbolicRegression"}], True),
        (sys.executable, [], False),
        ("/nowhere/julia", [{"name": "SymbolicRegression"}], False),
    ]:
        record.write_text(json.dumps({"executable": executable, "pkgs": packages, "version": "1.11"}))
        assert julia_ready().ready is ready


@pytest.mark.skipif(not julia_ready().ready, reason=f"PySR cannot run: {julia_ready().reason}")
def test_the_real_pysr_finds_an_easy_law():
    result = PySREngine().search(X, Y, spec(budget=Budget(100_000, 120)))
    assert np.mean((result.front[-1].expression.evaluate(X) >= 0) == (Y > 0)) > 0.95
