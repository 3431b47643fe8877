"""A law of a study with everything that its interpretation needs: inputs in units, names and labelled cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import ANOTHER
from morpholaw.errors import InputError
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.interpretation.cell_reasons import CellReasons, cell_reasons
from morpholaw.interpretation.class_sentence import ClassSentence, class_sentence
from morpholaw.interpretation.latent_summary import LatentSummary, evenly_spaced
from morpholaw.interpretation.law_sentence import QUANTILES, LawSentence, law_sentence
from morpholaw.interpretation.vetoes import (
    TYPICAL_LIMITS,
    Veto,
    find_class_vetoes,
    find_vetoes,
    in_words,
    limits_in_words,
)
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.models.law_digits import digits_needed
from morpholaw.models.law_units import law_in_units
from morpholaw.store import encoders
from morpholaw.store.labelled_cells import all_labels
from morpholaw.store.latent_sample import latent_sample
from morpholaw.store.study_folder import StudyFolder

CELLS = 2000
"""Maximum number of labelled cells over which a law is interpreted."""
PAIRS = 4
"""Maximum number of vetoes of pairs of inputs that are reported."""
MORE = 0.05
"""Smallest share of its range that a pair must exclude in addition to what one of its inputs excludes alone."""
LEAST = 0.02
"""Smallest share of its range that an input must exclude to be reported."""
MARGIN = 0.1
"""Margin of a map over a latent, as a share of the range of the cells."""
CUTS = 120
"""Number of intervals into which the range of an input is divided in the search for vetoes."""
MOST_NODES = 60
"""Largest number of nodes of a law for which vetoes of pairs are searched, as the search takes minutes beyond."""


@dataclass(frozen=True)
class LawReading:
    """A law with the data for its interpretation.

    Attributes
    ----------
    law : Law
        The law, over inputs in units. Values of 0 or more are the second class.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.
    cells : FeatureTable
        Inputs of labelled cells in units, including all latents of the encoder.
    index : ndarray, int64 (n,)
        Indices of these cells into the study's crops.
    labels : ndarray, str (n,)
        Classes of these cells.
    features : tuple of Feature
        The shapes that the law may read.
    words : dict
        Names of latents with their signs, e.g. {"z1": "\u2212size"}. Suggested names without a direction are left out.
    laws : ClassLaws or None
        With more than two classes, the laws of all classes, over inputs in units. ``law`` is then the margin of one
        class over the others.
    latents : LatentSummary or None
        Summary of the latents; None if the law reads none.
    pair : bool
        Whether the law is the difference of the laws of two classes among more.
    """

    law: Law
    classes: tuple[str, str]
    cells: FeatureTable
    index: np.ndarray
    labels: np.ndarray
    features: tuple[Feature, ...]
    words: dict[str, str]
    laws: ClassLaws | None = None
    latents: LatentSummary | None = None
    pair: bool = False

    @property
    def digits(self) -> int:
        """Number of significant digits with which the printed law, or all laws, classify the cells like the law."""
        return digits_needed(self.law if self.laws is None else self.laws, self.cells)

    @property
    def units(self) -> dict[str, str]:
        """Unit of each shape in the law; "" if it has none."""
        return self.units_of(self.law.expression.variables())

    def units_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the unit of each shape among some inputs; "" if it has none."""
        requested = set(names)
        return {one.name: one.unit for one in self.features if one.name in requested}

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Range of each input of the law to which statements refer.

        The range of a shape includes 99 % of the labelled cells, and that of a latent at least -3 to 3.
        """
        return self.ranges_of(self.law.expression.variables())

    def ranges_of(self, names: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return the ranges of some inputs."""
        shapes = {one.name for one in self.features}
        ranges = {}
        for name in names:
            low, high = self._range_of_cells(name)
            if name not in shapes:
                reach = float(np.ceil(max(-low, high, TYPICAL_LIMITS[1])))
                low, high = -reach, reach
            if low < high:
                ranges[name] = (float(low), float(high))
            else:
                ranges[name] = (float(low) - 0.5, float(low) + 0.5)
        return ranges

    def map_ranges(self, names: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return the ranges of some inputs for a map of the cells, with a `MARGIN` for latents."""
        shapes, ranges = {one.name for one in self.features}, self.ranges_of(names)
        for name in set(ranges) - shapes:
            low, high = self._range_of_cells(name)
            margin = MARGIN * (high - low) or MARGIN
            ranges[name] = (low - margin, high + margin)
        return ranges

    def _range_of_cells(self, name: str) -> tuple[float, float]:
        values = self.cells.select([name])[:, 0]
        values = values[np.isfinite(values)]
        low, high = np.quantile(values, QUANTILES) if len(values) else TYPICAL_LIMITS
        return float(low), float(high)

    def axis_label(self, name: str) -> str:
        """Return the label of an axis, such as "width (µm)" or "z1 (size)"."""
        unit, word = self.units_of([name]).get(name, ""), self.words.get(name, "")
        return f"{name} ({unit or word})" if unit or word else name

    def cells_of(self, name: str) -> FeatureTable:
        """Return the cells of a class, or all cells if there are none."""
        of_class = np.flatnonzero(self.labels == name)
        return self.cells.rows(of_class) if len(of_class) else self.cells

    def sentence(self) -> LawSentence | ClassSentence:
        """Describe the law, and the correlations of mentioned latents that have no name."""
        sentence: LawSentence | ClassSentence
        if self.laws is not None:
            sentence = class_sentence(
                self.laws, self.classes[1], self.cells, self.labels, self.features, self.words
            )
        else:
            sentence = law_sentence(self.law, self.cells, self.classes, self.features, self.words, self.pair)
        if self.latents is None:
            return sentence
        shapes = {one.name for one in self.features}
        unnamed = [one for one in sentence.mentioned if one not in shapes | set(self.words)]
        note = self.latents.unnamed(int(one[1:]) for one in unnamed)
        return replace(sentence, text=f"{sentence.text} {note}".rstrip())

    def vetoes(self) -> list[str]:
        """Return a sentence for each input that excludes a class regardless of the other inputs.

        With two classes, also for some pairs of inputs.
        """
        if not self.law.expression.variables():
            return []
        ranges = self.ranges
        with np.errstate(all="ignore"):
            vetoes = [veto for veto in self._found_vetoes(ranges) if veto.share >= LEAST]
        single = [veto for veto in vetoes if len(veto.latents) == 1]
        pairs = [veto for veto in vetoes if len(veto.latents) == 2 and _adds(veto, single)][:PAIRS]
        return [in_words(veto, *self.classes, self.words, ranges, self.units) for veto in (*single, *pairs)]

    def exclusions(self) -> list[str]:
        """Return where each input excludes a class among several, such as "z3 (size) above 1.05"."""
        assert self.laws is not None
        ranges = self.ranges
        with np.errstate(all="ignore"):
            vetoes = find_class_vetoes(self.laws, self.classes[1], ranges, CUTS) if ranges else []
        return [
            limits_in_words(veto, self.words, ranges, self.units) for veto in vetoes if veto.share >= LEAST
        ]

    def _found_vetoes(self, ranges: dict[str, tuple[float, float]]) -> list[Veto]:
        if self.laws is not None:
            return find_class_vetoes(self.laws, self.classes[1], ranges, CUTS)
        law = self.law.reduced()
        used = law.expression.variables()
        groups = [(name,) for name in used] if len(used) == 1 or law.size > MOST_NODES else None
        return find_vetoes(law, ranges, groups, CUTS)

    def of_class(self, name: str) -> LawReading:
        """Return the same for another class of the same laws."""
        assert self.laws is not None
        return replace(self, law=self.laws.against_the_rest(name), classes=(ANOTHER, name))

    def of_pair(self, name: str, other: str) -> LawReading:
        """Return the same for the difference of two laws, which is 0 or more for ``name``, over cells of the two."""
        assert self.laws is not None
        pair_rows = np.flatnonzero(np.isin(self.labels, (name, other)))
        pair_rows = pair_rows if len(pair_rows) else np.arange(len(self.labels))
        return replace(
            self,
            law=self.laws.against(name, other),
            classes=(other, name),
            cells=self.cells.rows(pair_rows),
            index=self.index[pair_rows],
            labels=self.labels[pair_rows],
            laws=None,
            pair=True,
        )

    def of_likeliest(self, row: np.ndarray) -> LawReading:
        """Return the same for the most probable class of a cell against the second; with two classes, itself.

        Parameters
        ----------
        row : ndarray, (columns,)
            Inputs of the cell, in the columns of ``cells``.
        """
        if self.laws is None:
            return self
        scores = self.laws.score(FeatureTable(row[None], self.cells.names))[0]
        order = np.argsort(-np.where(np.isfinite(scores), scores, -np.inf), kind="stable")
        first, second = (self.laws.classes[one] for one in order[:2])
        law = self.laws.against(first, second)
        return replace(self, law=law, classes=(second, first), laws=None)

    def reasons(self, row: np.ndarray) -> CellReasons:
        """Explain the class of a cell, given its inputs, (columns,), in the columns of ``cells``."""
        pair = self.of_likeliest(row)
        return cell_reasons(pair.law, row, self.cells, pair.classes, self.features, self.words, self.laws)


def read_law(
    folder: StudyFolder,
    classifier: Classifier,
    k: int = 0,
    class_name: str | tuple[str, str] | None = None,
) -> LawReading:
    """Return a law of a classifier with the data for its interpretation.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    classifier : Classifier
        The classifier.
    k : int
        Index of the law, or of the set of laws of more than two classes.
    class_name : str or (str, str), optional
        With more than two classes, the class to distinguish from all others, or a pair of classes to distinguish from
        each other.

    Returns
    -------
    LawReading
        The law and its data.

    Raises
    ------
    InputError
        If there is no such law or class.
    """
    if not classifier.laws:
        raise InputError("This classifier holds no laws; name one that does, or search for laws first.")
    if not 0 <= k < classifier.members:
        raise InputError(f"There is no law {k + 1}; there are laws 1 to {classifier.members}.")
    if len(classifier.classes) == 2:
        if class_name not in (None, *classifier.classes):
            raise InputError(f"There is no class {class_name!r}; there are {', '.join(classifier.classes)}.")
        law = law_in_units(classifier.laws[k], classifier.columns)
        return _reading(folder, classifier, law, (classifier.negative, classifier.positive))
    if class_name is None:
        raise InputError(
            f"These laws distinguish {len(classifier.classes)} classes, with one law each; name the class: "
            f"{', '.join(classifier.classes)}."
        )
    laws = laws_in_units(classifier, k)
    first = class_name if isinstance(class_name, str) else class_name[0]
    lead = laws.against_the_rest(first)
    reading = replace(_reading(folder, classifier, lead, (ANOTHER, first)), laws=laws)
    return reading if isinstance(class_name, str) else reading.of_pair(*class_name)


def laws_in_units(classifier: Classifier, k: int = 0) -> ClassLaws:
    """Return the laws of more than two classes over inputs in units."""
    return ClassLaws(
        {
            name: law_in_units(law, classifier.columns)
            for name, law in zip(classifier.classes, classifier.laws_of(k), strict=True)
        }
    )


def _reading(folder: StudyFolder, classifier: Classifier, law: Law, classes: tuple[str, str]) -> LawReading:
    labels = all_labels(folder)
    cells = some_labelled(labels, classifier.classes)
    columns = classifier.columns
    words, summary = {}, None
    if classifier.encoder is not None:
        summary = latent_sample(folder, classifier.encoder).summary
        named = summary.words(encoders.given_names(folder, classifier.encoder), directed=True)
        words = {f"z{latent}": word for latent, word in named.items()}
    shapes = () if columns is None else tuple(one for one in columns.features if one.source == "shape")
    table = measured_columns(classifier, folder.crops[cells])
    return LawReading(law, classes, table, cells, labels[cells], shapes, words, latents=summary)


def some_labelled(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return indices, int64, of evenly spaced cells with one of the classes, or of all cells if there are none."""
    cells = np.flatnonzero(np.isin(labels, list(classes)))
    cells = cells if len(cells) else np.arange(len(labels))
    return np.take(cells, evenly_spaced(len(cells), CELLS))


def _adds(pair: Veto, single: Sequence[Veto]) -> bool:
    """Return whether a pair excludes clearly more than either input alone."""
    alone = [one.share for one in single if one.excluded == pair.excluded and one.latents[0] in pair.latents]
    return pair.share >= max(alone, default=0.0) + MORE
