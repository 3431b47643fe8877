"""Results of cross-validations that a study keeps: tables per fold, per group and per pair of classes.

Results with different settings stand beside each other: the second with the inputs of ``scheme3.csv`` is
``scheme3-2.csv``, and ``scheme3-2.json`` has its settings. The same settings replace their earlier results.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.cells.files import write_table
from morpholaw.display import listed, percent, percent_interval, scheme_title
from morpholaw.errors import InputError
from morpholaw.store.cross_validation_record import CrossValidationRecord

if TYPE_CHECKING:
    import pandas as pd  # the window lists results without it

    from morpholaw.evaluation.cross_validation import CrossValidation
    from morpholaw.store.study_folder import StudyFolder

FOLDER = "cross_validation"
"""Folder of the results in a study."""
MEDIAN = "-median"
"""Suffix of a scheme's name in rows for the median score of its models, which is used for classification."""
INCOMPLETE = "incomplete"
"""Suffix of the name of results that were stopped before all folds were tested."""
PARTS = ("groups", "confusion")
"""Tables beside the one per fold, which is named after the scheme: ``scheme3.csv``, ``scheme3-groups.csv``."""
_NAME = re.compile(rf"scheme[1-4](-(?!({'|'.join(PARTS)})$)[a-z0-9]+)*")
_TEXTS = ("classifier", "fold", "group", "class", "predicted")


@dataclass(frozen=True)
class KeptCrossValidation:
    """Results of a cross-validation.

    Attributes
    ----------
    name : str
        Name of the table per fold, such as "scheme3-shapes".
    folds, groups, confusion : DataFrame
        See :class:`morpholaw.evaluation.cross_validation.CrossValidation`.
    measured : datetime
        When the results were written.
    record : CrossValidationRecord or None
        The settings; None for results of versions that did not keep them.
    """

    name: str
    folds: pd.DataFrame
    groups: pd.DataFrame
    confusion: pd.DataFrame
    measured: datetime
    record: CrossValidationRecord | None = None

    @property
    def classifiers(self) -> list[str]:
        """Names of the methods; the first is the scheme, by the median score of its models if there are several."""
        names = [str(name) for name in dict.fromkeys(self.folds["classifier"])]
        return names[1:] if len(names) > 1 and names[1].endswith(MEDIAN) else names

    @property
    def stopped_after(self) -> int | None:
        """Number of tested folds if the cross-validation was stopped; None if it is complete."""
        if not self.name.endswith(f"-{INCOMPLETE}"):
            return None
        return tested_folds(self.folds)

    def matrix(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Return the classes, and the number of tested cells of the scheme by true class and predicted class."""
        rows = self.confusion[self.confusion["classifier"] == self.classifiers[0]]
        classes = tuple(str(name) for name in dict.fromkeys(rows["class"]))
        return classes, rows["cells"].to_numpy(np.int64).reshape(len(classes), len(classes))


def keep(
    folder: StudyFolder,
    result: CrossValidation,
    record: CrossValidationRecord,
    out: Path | None = None,
) -> pd.DataFrame:
    """Write the results per fold, per group and per pair of classes, and return the first.

    Complete results replace those with the same settings that were stopped.
    """
    table = result.table()
    complete = result.tested == record.folds * record.repeats
    name = results_name(folder, record)
    place = Path(out) if out is not None else _table(folder, name, complete)
    for part, rows in zip(PARTS, (result.by_group(), result.confusion()), strict=True):
        write_table(place.with_name(f"{place.stem}-{part}.csv"), rows)
    if out is None:
        record.write(place.with_name(f"{name}.json"))
    write_table(place, table)
    if out is None and complete:
        stopped = _table(folder, name, complete=False)
        for file in (stopped, *(stopped.with_name(f"{stopped.stem}-{part}.csv") for part in PARTS)):
            file.unlink(missing_ok=True)
    return table


def results_name(folder: StudyFolder, record: CrossValidationRecord) -> str:
    """Return the name of the results with these settings in a study, or the first that is not taken."""
    place = folder.path / FOLDER
    for number in count(1):
        name = record.stem if number == 1 else f"{record.stem}-{number}"
        if record_of(folder, name) == record:
            return name
        files = (f"{name}.json", f"{name}.csv", f"{name}-{INCOMPLETE}.csv")
        if not any((place / file).exists() for file in files):
            break
    return name


def results_file(folder: StudyFolder, record: CrossValidationRecord, complete: bool) -> Path:
    """Return the table per fold of the results with these settings."""
    return _table(folder, results_name(folder, record), complete)


def _table(folder: StudyFolder, name: str, complete: bool) -> Path:
    return folder.path / FOLDER / (f"{name}.csv" if complete else f"{name}-{INCOMPLETE}.csv")


def record_of(folder: StudyFolder, name: str) -> CrossValidationRecord | None:
    """Return the settings of results; None if they were not kept or cannot be read."""
    try:
        return CrossValidationRecord.read(
            folder.path / FOLDER / f"{name.removesuffix(f'-{INCOMPLETE}')}.json"
        )
    except InputError:
        return None


def tested_folds(table: pd.DataFrame) -> int:
    """Return the number of tested folds, in all repetitions, in a table per fold."""
    rows = table[table["classifier"] == table["classifier"].iloc[0]]
    return int((rows["fold"] != "all").sum())


def kept_names(folder: StudyFolder) -> list[str]:
    """Return the names of the results that a study keeps, the newest first."""
    files = [file for file in (folder.path / FOLDER).glob("*.csv") if _NAME.fullmatch(file.stem)]
    return [file.stem for file in sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)]


def read_kept(folder: StudyFolder, name: str) -> KeptCrossValidation:
    """Return results that a study keeps; raise InputError if they are damaged."""
    file = folder.path / FOLDER / f"{name}.csv"
    try:
        groups, confusion = (_read(file.with_name(f"{name}-{part}.csv")) for part in PARTS)
        measured = datetime.fromtimestamp(file.stat().st_mtime)
        kept = KeptCrossValidation(name, _read(file), groups, confusion, measured, record_of(folder, name))
        kept.matrix()
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"The results of the cross-validation in {file} cannot be read; cross-validate again."
        ) from error
    return kept


def title(name: str, record: CrossValidationRecord | None = None) -> str:
    """Return what was validated, for a sentence: "scheme 3: sparse head, shapes" for "scheme3-shapes"."""
    if record is not None:
        return record.title
    scheme, *settings = name.removesuffix(f"-{INCOMPLETE}").split("-")
    return ", ".join([scheme_title(int(scheme.removeprefix("scheme"))), *settings])


def whole_title(folder: StudyFolder, name: str) -> str:
    """Return what distinguishes results from all others of a study: scheme, classes and settings."""
    record = record_of(folder, name)
    parts = [title(name, record)]
    if name.endswith(f"-{INCOMPLETE}"):
        parts.append("stopped")
    if record is not None:
        parts += [record.design_in_words, listed(record.classes)]
    return ", ".join(parts)


def accuracy_in_words(folds: pd.DataFrame, classifier: str) -> str:
    """Return the balanced accuracy of a method: "97.1 % (94.0 to 98.9), folds 92.0 % to 99.0 %".

    The range of the folds is left out if only one was tested.
    """
    rows = folds[folds["classifier"] == classifier]
    total, shares = (
        rows[rows["fold"] == "all"].iloc[0],
        rows.loc[rows["fold"] != "all", "balanced_accuracy"],
    )
    interval = percent_interval(total["balanced_accuracy"], total["low"], total["high"])
    if len(shares) < 2:
        return interval
    return f"{interval}, folds {percent(shares.min())} to {percent(shares.max())}"


def _read(file: Path) -> pd.DataFrame:
    import pandas as pd

    names = pd.read_csv(file, nrows=0).columns
    texts = {name: str for name in names if name in _TEXTS}  # "NA" and "1" may be names of classes and groups
    missing: dict[Any, list[str]] = {name: [""] for name in names if name not in texts}
    return pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=missing)
