"""The house stands: imports go one way."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "morpholaw"


def test_data_walks_one_way_through_the_rooms():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=SOURCE.parents[1],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
