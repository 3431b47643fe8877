"""Data of a study that several sections of a report use, each read or computed once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from morpholaw.errors import InputError
from morpholaw.interpretation.latent_summary import LatentSummary, evenly_spaced
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.classifier import Classifier
from morpholaw.models.vae import BetaTCVAE
from morpholaw.report.page import Absent
from morpholaw.store import classifiers, encoders
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.labelled_cells import all_labels, held_out
from morpholaw.store.latent_sample import LatentSample, latent_sample
from morpholaw.store.law_reading import LawReading, read_law
from morpholaw.store.study_folder import StudyFolder

TESTED = 4000
"""Maximum number of test cells that a report scores. Table 1 uses all of them."""


@dataclass(frozen=True)
class TestCells:
    """Cells of the test set.

    Attributes
    ----------
    index : ndarray, int64 (n,)
        Indices into the study's crops.
    images : ndarray, uint8 (n, s, s)
        The crops.
    targets : ndarray, int64 (n,)
        Class numbers.
    groups : ndarray, str (n,)
        Group of each cell.
    """

    __test__ = False  # keeps pytest from collecting the class

    index: np.ndarray
    images: np.ndarray
    targets: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def some(self, count: int) -> TestCells:
        """Return at most ``count`` random cells, balanced over the classes as far as possible."""
        rng = np.random.default_rng(0)
        chosen: list[int] = []
        for target in (classes := np.unique(self.targets)):
            of_class = np.flatnonzero(self.targets == target)
            chosen += rng.permutation(of_class)[: max(1, count // len(classes))].tolist()
        if len(chosen) > count:
            chosen = rng.permutation(chosen)[:count].tolist()
        return self.rows(np.sort(np.array(chosen, dtype=int)))

    def rows(self, rows: np.ndarray) -> TestCells:
        """Return the cells with the indices ``rows``."""
        return TestCells(self.index[rows], self.images[rows], self.targets[rows], self.groups[rows])


class Material:
    """The data of a report, read from a study or computed on first use.

    Properties raise :class:`Absent` with a reason if the study lacks their data.
    """

    def __init__(self, study: StudyFolder) -> None:
        self.study = study
        self.classifier = cache(self._classifier)
        self.test = cache(self._test)
        self.scores = cache(self._scores)
        self.reading = cache(self._reading)
        self._sample_of = cache(self._classifiers_sample)

    @cached_property
    def labels(self) -> np.ndarray:
        """Class of every crop, str (n,); "" for crops without a label."""
        return all_labels(self.study) if self.study.sets else np.array([], dtype=str)

    @cached_property
    def sample(self) -> np.ndarray:
        """Indices of the crops for which latents are summarised, int64 (k,), evenly spaced over the study."""
        if not self.study.sets:
            raise Absent("The study has no crops yet.")
        return evenly_spaced(len(self.study.crops))

    @cached_property
    def pixel_size(self) -> float | None:
        """Micrometres per pixel of the crops; None if unknown or if crop sets differ."""
        sizes = {crop_set.record.scale for crop_set in self.study.sets}
        size = sizes.pop() if len(sizes) == 1 else None
        return None if size is None else float(size)

    @cached_property
    def encoder_record(self) -> EncoderRecord:
        """Record of the study's encoder."""
        if not self.study.has_encoder:
            raise Absent("No encoder has been trained or loaded yet.")
        return self.study.encoder_record

    @cached_property
    def encoder(self) -> BetaTCVAE:
        """The study's encoder, or that of a classifier if the study has none."""
        if self.study.has_encoder:
            return encoders.of_study(self.study)
        for name in self.names:
            if (encoder := self.classifier(name).encoder) is not None:
                return encoder
        raise Absent("No encoder has been trained or loaded yet.")

    @cached_property
    def _latent_sample(self) -> LatentSample:
        if not self.study.sets:
            raise Absent("The study has no crops yet.")
        return latent_sample(self.study, self.encoder)

    @property
    def encoded(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and log-variances of the sample, float32 (k, latents) each."""
        return self._latent_sample.means, self._latent_sample.log_variances

    @property
    def latents(self) -> LatentSummary:
        """Activity, correlations with measured shapes and suggested names of the latents, on the sample."""
        return self._latent_sample.summary

    def latents_of(self, name: str) -> LatentSummary:
        """Return the summary of the latents that a classifier reads, whose encoder may have been replaced since."""
        return self._sample_of(name).summary

    def given_names(self, name: str = "") -> dict[int, str]:
        """Return the names given to latents of the study's encoder, or of that of a classifier."""
        encoder = self.classifier(name).encoder if name else None
        if encoder is None or self.reads_present_encoder(name):
            return self.study.latent_names
        return encoders.given_names(self.study, encoder)

    def reads_present_encoder(self, name: str) -> bool:
        """Whether a classifier reads no other encoder than that of the study."""
        fingerprint = self.records[name].encoder_fingerprint
        return not self.study.has_encoder or fingerprint in (None, self.study.encoder_record.sha256)

    def _classifiers_sample(self, name: str) -> LatentSample:
        encoder = self.classifier(name).encoder
        if encoder is None or (self.study.has_encoder and self.reads_present_encoder(name)):
            return self._latent_sample
        if not self.study.sets:
            raise Absent("The study has no crops yet.")
        return latent_sample(self.study, encoder)

    def typical_cells(self, name: str = "") -> dict[str, np.ndarray]:
        """Return the latents of a typical cell of some classes, float32 (latents,), by class.

        It is the labelled cell of the sample nearest to the median of its class: of the two most frequent classes of
        the study, or of all classes of a classifier, encoded by its encoder. Without labelled cells, "" stands for the
        median of all cells, which may look like none of them.
        """
        sample = self._sample_of(name) if name else self._latent_sample
        labels = self.labels[self.sample]
        frequent = [one for one, _ in Counter(labels[labels != ""].tolist()).most_common(2)]
        typical = {}
        for label in self.records[name].classes if name else frequent:
            cells = sample.means[labels == label]
            if len(cells):
                distance = np.linalg.norm(cells - np.median(cells, axis=0), axis=1)
                typical[label] = cells[int(np.argmin(distance))]
        return typical or {"": sample.summary.median}

    def called(self, latent: int, name: str = "") -> str:
        """Return "z3 (size)", or "z3" for a latent without a name, of the study's encoder or that of a classifier."""
        words = (self.latents_of(name) if name else self.latents).words(self.given_names(name))
        word = words.get(latent)
        return f"z{latent} ({word})" if word else f"z{latent}"

    @cached_property
    def records(self) -> dict[str, ClassifierRecord]:
        """The records of the classifiers, by name: "scheme1", "scheme4-hinge", ..."""
        return classifiers.records(self.study)

    @property
    def names(self) -> list[str]:
        """Names of the classifiers."""
        return list(self.records)

    @property
    def one_a_scheme(self) -> dict[int, str]:
        """One classifier per scheme: preferably of two classes, and for scheme 4 the laws of the hinge loss."""

        def order(name: str) -> tuple[bool, bool, str]:
            record = self.records[name]
            return not record.two_classes, name != name_of(record.scheme, "hinge"), name

        chosen: dict[int, str] = {}
        for name in sorted(self.names, key=order):
            chosen.setdefault(self.records[name].scheme, name)
        return chosen

    @property
    def two_class_names(self) -> list[str]:
        """Names of the classifiers of two classes."""
        return [name for name in self.names if self.records[name].two_classes]

    def title(self, name: str) -> str:
        """Return "Scheme 4, β-TCVAE + symbolic expression (hinge)"."""
        return self.records[name].title

    def need(self, name: str, reason: str) -> Classifier:
        """Return the classifier ``name``, or raise Absent with ``reason``."""
        if name not in self.names:
            raise Absent(reason)
        return self.classifier(name)

    def _classifier(self, name: str) -> Classifier:
        return classifiers.load(self.study, name)

    @property
    def kept(self) -> tuple[int, ...]:
        """Latents of the study's encoder that at least half of the models of scheme 3 kept, else all kept ones."""
        return usual_inputs(self.kept_by_each)

    @property
    def morphology(self) -> tuple[int, ...]:
        """Latents of the study's encoder that describe the morphology of the cell."""
        return tuple(self.latents.morphology)

    def morphology_of(self, name: str) -> tuple[int, ...]:
        """Return the latents of a classifier that the neighbourhood attack leaves unchanged."""
        if self.classifier(name).encoder is None:
            return ()
        return tuple(self.latents_of(name).morphology)

    @property
    def kept_by_each(self) -> tuple[tuple[int, ...], ...]:
        """Latents of the study's encoder that each model of scheme 3 kept; empty if it reads another encoder."""
        if "scheme3" not in self.records or not self.reads_present_encoder("scheme3"):
            return ()
        return self.records["scheme3"].kept_latents

    def _reading(self, name: str, k: int, class_name: str | None = None) -> LawReading:
        """Return a law with the cells that it is described on; with more than two classes, the law of a class."""
        try:
            return read_law(self.study, self.classifier(name), k, class_name)
        except InputError as reason:
            raise Absent(str(reason)) from None

    def _test(self, name: str) -> TestCells:
        """Return the test cells of a classifier, determined from its recorded split."""
        if set(self.records[name].classes) - set(self.labels):
            raise Absent(f"The study no longer has cells of all classes of {name}.")
        try:
            test, targets = held_out(self.study, name)
        except InputError as reason:
            raise Absent(str(reason)) from None
        if len(test) > TESTED:
            sample = np.sort(np.random.default_rng(0).choice(len(test), TESTED, replace=False))
            test, targets = test[sample], targets[sample]
        groups = self.study.crops.cells["group"].to_numpy(str)
        return TestCells(test, self.study.crops[test], targets, groups[test])

    def _scores(self, name: str) -> np.ndarray:
        """Return the score of every model on the test cells, float32 (members, n)."""
        from morpholaw.evaluation.crop_scores import score_crops

        return score_crops(self.classifier(name), self.test(name).images)

    def test_latents(self, name: str) -> np.ndarray:
        """Encode the test cells with the classifier's own encoder, float64 (n, latents)."""
        return self.encode(name, self.test(name).images).astype(np.float64)

    def encode(self, name: str, images: np.ndarray) -> np.ndarray:
        """Encode crops with a classifier's own encoder, float32 (n, latents)."""
        from morpholaw.evaluation.scoring import encode_means

        encoder = self.classifier(name).encoder
        if self.classifier(name).columns is not None:
            raise Absent(f"{self.title(name)} reads measured shapes and not latents.")
        if encoder is None:
            raise Absent("Scheme 1 does not read latents.")
        return encode_means(encoder, images).numpy()
