"""What heads and laws gain and lose on real cells if they are trained on cells in other surroundings (``swaps``).

Run ``python benchmarks/swapped_heads.py DATA FOLDER`` with DATA and FOLDER as for ``encoder_table.py``. It uses the
shipped encoder and MitoCheck, in three folds of whole movies. Prints one line per fold and setting: the balanced
accuracy on the held-out cells, and the points lost when these are shown in the surroundings of the other class.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from encoder_cells import real_cells
from encoder_networks import load_default
from encoder_table import PAIR, Schemes, Variant

from morpholaw.evaluation.cross_validation import folds
from morpholaw.sample import sample_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--swaps", type=int, nargs="*", default=[0, 8, 2])
    options = parser.parse_args()
    encoder = load_default(sample_folder() / "encoder")
    cells = real_cells(options.data, options.folder / "cells")["mitocheck"].of(PAIR)
    for number, fold in enumerate(folds(cells.groups, cells.targets(PAIR), 3, 1, 1)):
        for swaps in options.swaps:
            schemes = Schemes(encoder, cells.rows(fold.train), Variant(None, {"swaps": swaps}), number)
            lost = schemes.surroundings(cells.rows(fold.test))
            shown = {name: value for name, value in lost.items() if name.startswith(("as it is", "points"))}
            print(f"fold {number}, swaps {swaps}: {shown}", flush=True)


if __name__ == "__main__":
    main()
