"""What a table of scores says of its cells, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from morpholaw.display import percent
from morpholaw.store.classifier_record import ClassifierRecord

if TYPE_CHECKING:
    import pandas as pd


def cell_counts(table: pd.DataFrame, classes: Sequence[str]) -> str:
    """Say how many cells are predicted as which class; of two classes only the second is named."""
    if len(classes) == 2:
        count = int((table["class"] == classes[1]).sum())
        return f"{count:,} of {len(table):,} cells are predicted as {classes[1]}"
    counts = ((name, int((table["class"] == name).sum())) for name in classes)
    return f"of {len(table):,} cells, " + ", ".join(f"{count:,} {name}" for name, count in counts)


def changed_by_tracks(table: pd.DataFrame) -> str:
    """Say how many predicted classes were changed by their track; "" where tracks were not used."""
    if "frame_class" not in table:
        return ""
    changed = int((table["class"] != table["frame_class"]).sum())
    return f" ({changed:,} changed by their track)" if changed else ""


def unusual_share(table: pd.DataFrame) -> str:
    """Say how many cells are unlike those of the training; "" where none is, or where that is not known."""
    count = int(table["unusual"].sum()) if "unusual" in table else 0
    if not count:
        return ""
    return (
        f"{count:,} of {len(table):,} cells ({percent(count / len(table))}) are unlike the training cells (blank, "
        "blurred, another microscope?); do not trust their classes. Of ordinary cells about 1 % are marked."
    )


def scheme_name(classifier: ClassifierRecord) -> str:
    """Name a classifier on a button: "scheme 3", "scheme 4 (mse)"."""
    return f"scheme {classifier.scheme}" + (f" ({classifier.variant})" if classifier.variant else "")
