"""A law in a file of its own: it runs where nothing is installed, and LaTeX sets it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.exchange.class_laws import write_class_laws
from morpholaw.exchange.law import write_law
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.law import Law

LAW = Law.parse(
    "z29*(square(z17) + square(z21)) / log(z3) - exp(exp(z3)) + sqrt(abs(z17))", ["z3", "z17", "z21", "z29"]
)
PROGRAM = """
import json, runpy, sys
law = runpy.run_path(sys.argv[1])["law"]
print(json.dumps([repr(law(*row)) for row in json.load(sys.stdin)]))
"""


def bare(path, rows):
    """The function in the file at ``path``, called in a Python without site-packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(path)],
        input=json.dumps(rows.tolist()),
        capture_output=True,
        text=True,
        check=True,
    )
    return np.array([float(value) for value in json.loads(done.stdout)])


def test_the_python_file_runs_on_its_own_and_agrees(tmp_path):
    path = write_law(tmp_path / "law.py", LAW, ("interphase", "metaphase"), {"z3": "size"})
    rows = np.vstack(
        [np.random.default_rng(0).normal(0, 3, (200, 4)), [[0, 1, 1, 1], [1, 0, 0, 0], [800, 1, 1, 1]]]
    )
    expected = LAW.expression.evaluate(rows)
    found = bare(path, rows)
    both = np.isfinite(expected)
    np.testing.assert_allclose(found[both], expected[both], rtol=1e-12)
    assert not np.isfinite(found[~both]).any()
    assert 0 < both.sum() < len(rows)
    assert "# z3: size" in path.read_text()


def test_a_name_of_several_lines_stays_a_comment(tmp_path):
    named = {"z3": "size\nimport nothing_of_that_name"}
    path = write_law(tmp_path / "law.py", LAW, ("a\nraise SystemExit(3)", "b"), named)
    assert len(bare(path, np.ones((1, 4)))) == 1
    text = write_law(tmp_path / "law.tex", LAW, ("a\n\\input{x}", "b"), named).read_text()
    assert all(line.startswith("%") for line in text.splitlines() if "input" in line)


@pytest.mark.parametrize(
    ("classes", "named"),
    [
        (("a coding: unicode_escape", r"b\nimport os; os.mkdir('ran')\n#"), {}),
        (("x coding=utf-7", "b"), {"z3": "+AAo-import os+ADs-os.mkdir('ran')+AAo-#"}),
        (("x coding=nonsense", "b"), {}),
        (("nul\0byte", "\ud800"), {"z17": '"""'}),
    ],
)
def test_names_that_a_sender_chose_run_nothing(tmp_path, classes, named):
    path = write_law(tmp_path / "law.py", LAW, classes, named)
    assert len(bare(path, np.ones((1, 4)))) == 1
    assert not (tmp_path / "ran").exists()


def test_latex_can_be_set(tmp_path):
    from matplotlib.mathtext import MathTextParser

    text = write_law(tmp_path / "law.tex", LAW, ("interphase", "metaphase"), {"z17": "cell size"}).read_text()
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert lines[0] == r"\begin{equation}"
    assert lines[-1] == r"\end{equation}"
    assert r"\mathrm{cell\ size}" in lines[1]
    assert MathTextParser("path").parse(f"${lines[1]}$").width > 0


def test_a_latent_that_decreases_with_what_its_name_says_keeps_its_sign(tmp_path):
    law, named = Law.parse("1.8332 * z1 - z3 - z2", ["z1", "z2", "z3"]), {"z1": "−size", "z3": "crowding"}
    text = write_law(tmp_path / "law.tex", law, ("interphase", "metaphase"), named).read_text()
    assert r"= -\left(1.83 \, \mathrm{size} + \mathrm{crowding} + z_{2}\right)" in text
    assert "% At full precision: f = 1.8332 * z1 - z3 - z2" in text
    several = ClassLaws({"a": law, "b": Law.parse("z1", law.names)})
    text = write_class_laws(tmp_path / "laws.tex", several, named).read_text()
    assert r"&= -\left(1.83 \, \mathrm{size}" in text
    assert r"&= -\mathrm{size}" in text
    assert "# z1: -size" in write_law(tmp_path / "law.py", law, ("a", "b"), named).read_text()


def test_a_studys_laws_by_their_place(tracked, tmp_path):
    law = tracked.laws()[0]
    path = tracked.export("law", tmp_path / "law.py")
    latents = tracked.latents()[0]
    z = latents[:, list(law.latents)].astype(float)
    np.testing.assert_allclose(bare(path, z), law.score(latents), rtol=1e-9)
    with pytest.raises(InputError, match="there is no law 100"):
        tracked.export("law", tmp_path / "law.py", law=99)
    with pytest.raises(InputError, match="no trained scheme4-mse"):
        tracked.export("law", tmp_path / "law.py", loss="mse")
    with pytest.raises(InputError, match=r"ending in .*, not to law\.txt"):
        tracked.export("law", tmp_path / "law.txt")
