"""A window never imports torch, which would stop it for seconds: what needs torch is computed in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOUR = Path(__file__).parent / "tour_without_torch.py"


@pytest.mark.slow
def test_every_tab_is_filled_where_the_window_cannot_import_torch(trained_study, tmp_path):
    environment = {**os.environ, "NAPARI_CONFIG": str(tmp_path / "settings.yaml"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(TOUR), str(trained_study)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
