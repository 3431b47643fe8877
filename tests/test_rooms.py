"""The house stands: imports go one way, and nothing reads pickles or evaluates text."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "morpholaw"


def test_data_walks_one_way_through_the_rooms():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=SOURCE.parents[1], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_load_path_can_run_code(file):
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) (pickle|joblib|dill|cloudpickle|marshal|shelve)\b", text, re.M)
    assert not re.search(r"(?<![\w.])(eval|exec)\(|torch\.load\(|sympify\(|parse_expr\(|allow_pickle=True", text)
