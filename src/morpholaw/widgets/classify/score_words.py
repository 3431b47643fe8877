"""A table of scores summarised in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from morpholaw.display import percent
from morpholaw.evaluation.familiarity import advice_on_unusual
from morpholaw.store.classifier_record import ClassifierRecord

if TYPE_CHECKING:
    import pandas as pd


def cell_counts(table: pd.DataFrame, classes: Sequence[str]) -> str:
    """Return how many cells are predicted as which class, in words; with two classes, only the second is named."""
    if len(classes) == 2:
        count = int((table["class"] == classes[1]).sum())
        return f"{count:,} of {len(table):,} cells are predicted as {classes[1]}"
    counts = ((name, int((table["class"] == name).sum())) for name in classes)
    return f"of {len(table):,} cells, " + ", ".join(f"{count:,} {name}" for name, count in counts)


def changed_by_tracks(table: pd.DataFrame) -> str:
    """Return how many predicted classes changed because of the track, in words; "" if tracks were not used."""
    if "frame_class" not in table:
        return ""
    changed = int((table["class"] != table["frame_class"]).sum())
    return f" (the track changed the class of {changed:,})" if changed else ""


def unusual_share(table: pd.DataFrame) -> str:
    """Return how many cells are unlike the training cells, in words; "" if none is, or if this is unknown."""
    count = int(table["unusual"].sum()) if "unusual" in table else 0
    if not count:
        return ""
    return (
        f"{count:,} of {len(table):,} cells ({percent(count / len(table))}) are unlike the training cells (blank, "
        "blurred, from another microscope?). The accuracy on held-out cells may not hold for them; label some of them "
        f"to measure it. {advice_on_unusual(count, len(table))}"
    )


def scheme_name(classifier: ClassifierRecord) -> str:
    """Return the name of a classifier for a button: "scheme 3", "scheme 4 (mse)"."""
    return f"scheme {classifier.scheme}" + (f" ({classifier.variant})" if classifier.variant else "")
