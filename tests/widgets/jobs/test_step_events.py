"""Tables that jobs write are read in the window as they were."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.widgets.jobs.step_events import read_table


def test_numbers_that_are_not_known_stay_numbers_and_names_stay_names(tmp_path):
    table = pd.DataFrame(
        {
            "class": ["NA", "1"],
            "loss": ["", "hinge"],
            "track_id": pd.array([3, None], "Int64"),
            "accuracy": [0.5, np.nan],
            "random_signs": [np.nan, 0.9],
            "energy_inside": [np.nan, 0.4],  # no attack succeeded at the first eps
            "nucleus_area": [np.nan, 0.2],
            "success": [np.nan, 0.1],  # no cell of another class
            "deviation": [np.nan, 0.0],
        }
    )
    types = {name: str(kind) for name, kind in table.dtypes.items()}
    table.to_csv(tmp_path / "table.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.csv", types), table)
