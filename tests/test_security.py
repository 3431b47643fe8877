"""Opening what somebody sent runs no code: the source has no unsafe loader. (Names in reports: tests/report.)"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import morpholaw
from morpholaw.store import classifiers

SOURCE = Path(morpholaw.__file__).parent
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "shelve",
    "marshal",
    "joblib",
    "yaml",
    "jsonpickle",
    "code",
}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "sympify",
    "parse_expr",
    "read_pickle",
    "literal_eval",
}
PARSERS = {
    "xml.etree.ElementTree.parse",
    "xml.etree.ElementTree.fromstring",
    "xml.etree.ElementTree.iterparse",
}


METHODS = {"eval", "compile"}
"""Methods of networks and of re, which are harmless."""
PIPES = {"widgets/jobs/live_process.py": ["imports pickle"]}
"""Modules that pickle to a child of their own over a pipe, as multiprocessing does; no file reaches them."""


def called(node: ast.Call) -> str:
    """The name that is called, with its dots."""
    return ast.unparse(node.func)


def offences(path: Path) -> list[str]:
    """Lines of a file of ours that could run what a file says."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            found += [f"imports {name}" for name in names if name.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        name, given = called(node), {word.arg: ast.unparse(word.value) for word in node.keywords}
        short = name.split(".")[-1]
        if (name if "." not in name else short) in CALLS and (short not in METHODS or "." not in name):
            found.append(f"calls {name}")
        if name in ("torch.load", "os.system", "os.popen"):
            found.append(f"calls {name}")
        if name in ("np.load", "np.save", "numpy.load") and given.get("allow_pickle") != "False":
            found.append(f"calls {name} that may unpickle")
        if given.get("shell") == "True" or name in PARSERS or given.get("autoescape") == "False":
            found.append(f"calls {name} unsafely")
    return [f"{path.relative_to(SOURCE)}: {one}" for one in found]


def test_the_source_has_no_loader_that_runs_code():
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 100
    allowed = [f"{path}: {what}" for path, found in PIPES.items() for what in found]
    assert [one for path in files for one in offences(path) if one not in allowed] == []


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from joblib import load", "eval(text)", "sympy.sympify(s)", "torch.load(p)", "np.load(p)",
     "np.load(p, allow_pickle=True)",
     "subprocess.run(c, shell=True)", "pd.read_pickle(p)", "Environment(autoescape=False)"],
)  # fmt: skip
def test_the_search_would_find_them(tmp_path, monkeypatch, line):
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    path = tmp_path / "a.py"
    path.write_text(line)
    assert offences(path)


def test_the_same_seed_gives_the_same_models_and_another_another(study):
    heads = {"models": 2, "epochs": 4, "epoch_cells": 0, "threads": 1}
    shas = []
    for seed in (0, 0, 1):
        study.train_classifier(2, **heads, seed=seed)
        shas.append(classifiers.record(study, "scheme2").sha256)
    assert shas[0] == shas[1] != shas[2]


def test_a_test_set_that_shares_a_group_with_training_is_refused(study, monkeypatch):
    from morpholaw.config import ClassifierConfig
    from morpholaw.errors import InputError
    from morpholaw.store import labelled_cells as labelled

    groups = study.crops.cells["group"].to_numpy(str)
    monkeypatch.setattr(
        labelled, "grouped_split", lambda *_: (np.arange(1, len(groups)), np.arange(0, len(groups), 2))
    )
    with pytest.raises(InputError, match="A group has cells in both training set and test set"):
        labelled.labelled_cells(study, ClassifierConfig())


def test_every_table_of_results_names_its_split(study):
    split = study.table1()["split"].unique().tolist()
    assert len(split) == 1
    assert study.attack(scheme=2, space="latent", eps=(0.1,))["split"].unique().tolist() == split
    from click.testing import CliRunner

    from morpholaw.cli.table import show_table

    runner = CliRunner()
    with runner.isolation() as (out, *_):
        show_table(study)
        assert split[0] in out.getvalue().decode()
