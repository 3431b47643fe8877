"""A study: one folder, one investigation. A click, a line of Python and a shell command are the same call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.inputs import open_inputs
from morpholaw.config import (
    AttackConfig,
    ClassifierConfig,
    ClassLawConfig,
    CropConfig,
    EncoderConfig,
    ImportConfig,
    LawConfig,
    TuneConfig,
)
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.store import classifiers
from morpholaw.store.study_folder import DEFAULT_CLASSES, StudyFolder
from morpholaw.training.distributed import is_main_process

if TYPE_CHECKING:
    from morpholaw.models.class_laws import ClassLaws
    from morpholaw.models.classifier import Classifier
    from morpholaw.models.law import Law
    from morpholaw.models.vae import BetaTCVAE
    from morpholaw.study.export_step import Format

# torch is imported when a step first needs it, so that opening a study in a widget stays quick.


class Study(StudyFolder):
    """One investigation on disk, and everything that can be done with it.

    Every step takes ``report`` and ``should_stop`` (:mod:`morpholaw.events`), holds the study's lock while
    it runs and writes its result whole or not at all.

    Examples
    --------
    >>> study = Study.create("mdck", movie="movie.tif", tracks="tracks.h5")  # doctest: +SKIP
    >>> study.train_encoder(EncoderConfig(epochs=5))  # doctest: +SKIP
    >>> study.train_classifier(scheme=3, models=10)  # doctest: +SKIP
    >>> law = study.discover_law(loss="hinge")  # doctest: +SKIP
    """

    @classmethod
    def create(
        cls,
        path: Path | str,
        movie: Any = None,
        tracks: Any = None,
        classes: Sequence[str] = DEFAULT_CLASSES,
        **crop: Any,
    ) -> Study:
        """Make a study; with a movie and its tracks, cut their crops too.

        Parameters
        ----------
        path : path
            A new or empty folder.
        movie, tracks : path, array or table, optional
            As for :meth:`crop`.
        classes : sequence of str
            Class names to begin with.
        **crop
            Further arguments of :meth:`crop`, such as labels, and settings of :class:`morpholaw.CropConfig`.

        Returns
        -------
        Study

        Raises
        ------
        InputError
            When something else is at ``path``, or the movie cannot be cut; no folder is left behind.
        """
        from morpholaw.study.crop_step import removed_on_failure

        with removed_on_failure(Path(path)):
            study = cls(cls.make(path, tuple(classes)))
            if movie is not None:
                study.crop(movie, tracks, **crop)
        return study

    @classmethod
    def open(cls, path: Path | str) -> Study:
        """Open the study at ``path``; InputError where there is none."""
        return cls(path)

    @classmethod
    def open_or_create(cls, path: Path | str) -> Study:
        """Open the study at ``path``, or make it where there is nothing yet."""
        return cls(path) if (Path(path) / "study.json").exists() else cls.create(path)

    @classmethod
    @contextmanager
    def opened_or_new(cls, path: Path | str) -> Iterator[Study]:
        """Open the study at ``path``, or make it for the block; a new one is removed again where the block fails."""
        if (Path(path) / "study.json").exists():
            yield cls(path)
            return
        from morpholaw.study.crop_step import removed_on_failure

        with removed_on_failure(Path(path)):
            yield cls.create(path)

    # ---- cells

    def crop(
        self,
        movie: Any,
        tracks: Any,
        *,
        labels: Path | str | None = None,
        name: str | None = None,
        replace: bool = False,
        config: CropConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> CropSet:
        """Cut a crop around every tracked cell of a movie into a new crop set.

        Movie, tracks, labels and pixels are compared first; :func:`morpholaw.inspect_inputs` shows what is found.

        Parameters
        ----------
        movie : path or array
            TIFF or OME-TIFF stack, folder of frames, OME-Zarr, or an array (t, y, x).
        tracks : path, array or DataFrame
            Anything :func:`morpholaw.read_tracks` reads, or a table of tracks.
        labels : path, optional
            CSV with a label column, keyed by track_id and t.
        name : str, optional
            The set's name; by default the movie's.
        replace : bool
            Replace the set that was cut from the same movie before; classes given by hand stay with their cells.
        config : CropConfig, optional
            How crops are cut.
        monitor : Monitor, optional
            Where progress and warnings go, and whether to stop.
        **settings
            Settings of :class:`morpholaw.CropConfig`, which go over ``config``.

        Returns
        -------
        CropSet

        Raises
        ------
        InputError
            When something cannot be read or does not fit; nothing is left behind.
        InterruptedError
            When the monitor asked to stop; nothing is left behind.
        """
        config = _settings(CropConfig, config, settings)
        from morpholaw.study import crop_step

        inputs = open_inputs(movie, tracks, config, name)
        return crop_step.crop(self, inputs, config, labels, name, replace, monitor)

    def import_crops(
        self,
        folder: Path | str,
        *,
        name: str | None = None,
        config: ImportConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> CropSet:
        """Import a folder of crops, labelled by subfolder, into a new crop set.

        Parameters
        ----------
        folder : path
            Images, one per cell, in subfolders by class.
        name : str, optional
            The set's name; by default the folder's.
        config : ImportConfig, optional
            Classes, groups and pixel size.
        monitor : Monitor, optional
            Where progress and warnings go, and whether to stop.
        **settings
            Settings of :class:`morpholaw.ImportConfig`, which go over ``config``.

        Returns
        -------
        CropSet

        Raises
        ------
        InputError
            When an image cannot be used, or the scale is not that of the study; nothing is left behind.
        """
        from morpholaw.study import crop_step

        config = _settings(ImportConfig, config, settings)
        return crop_step.import_folder(self, folder, config, name, monitor)

    def rename_set(self, name: str, new_name: str) -> CropSet:
        """Rename a crop set; its annotations and cached latents go with it.

        Parameters
        ----------
        name, new_name : str
            The set's name, and the one that it gets: letters, digits, "-", "_" and ".".

        Returns
        -------
        CropSet

        Raises
        ------
        InputError
            When there is no such set, or the new name is taken or cannot be a folder's name.
        """
        from morpholaw.study import set_step

        with self.writing():
            return set_step.rename(self, name, new_name)

    def delete_set(self, name: str) -> None:
        """Delete a crop set with its annotations and cached latents; models that were trained on it stay.

        Parameters
        ----------
        name : str
            The set's name; a damaged set can be deleted too.

        Raises
        ------
        InputError
            When there is no such set.
        """
        from morpholaw.study import set_step

        with self.writing():
            set_step.delete(self, name)

    @property
    def labels(self) -> np.ndarray:
        """The class of every crop, str (n,), "" where it has none."""
        from morpholaw.store.labelled_cells import all_labels

        return all_labels(self)

    def held_out(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The cells that a classifier was tested on, e.g. "scheme2": indices and classes (0 or 1), int64 (n,)."""
        from morpholaw.store.labelled_cells import held_out

        return held_out(self, name)

    # ---- the encoder

    def train_encoder(
        self,
        config: EncoderConfig | None = None,
        *,
        resume: bool = False,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> dict[str, Any]:
        """Train the beta-TCVAE on all crops (paper, 5.1); returns what is recorded of it.

        Processes that ``torchrun`` started train it together; the first of them holds the lock and writes.
        """
        from morpholaw.study import encoder_step

        with self.writing() if is_main_process() else nullcontext():
            config = _settings(EncoderConfig, config, settings)
            return encoder_step.train(self, config, resume, monitor)

    def load_encoder(self, source: Path | str) -> None:
        """Take over a trained encoder: a folder, or "sample" for the shipped one."""
        from morpholaw.sample import sample_folder
        from morpholaw.study import encoder_step

        with self.writing():
            encoder_step.adopt(self, sample_folder() / "encoder" if source == "sample" else Path(source))

    @property
    def encoder(self) -> BetaTCVAE:
        """The trained beta-TCVAE; InputError where there is none yet."""
        from morpholaw.study import encoder_step

        return encoder_step.own(self)[0]

    @property
    def has_encoder(self) -> bool:
        """Whether an encoder was trained or loaded."""
        return (self.path / "encoder" / "model.json").exists()

    @property
    def can_resume(self) -> bool:
        """Whether a stopped training of the encoder can go on from a checkpoint."""
        return (self.path / "encoder" / "checkpoint" / "model.json").exists()

    def latents(self, monitor: Monitor = SILENT) -> tuple[np.ndarray, np.ndarray]:
        """Means and log-variances of all crops, each float32 (n, latents); computed once, then read."""
        from morpholaw.study import encoder_step

        return encoder_step.latents(self, monitor)

    # ---- classifiers and laws

    def train_classifier(
        self,
        scheme: int,
        config: ClassifierConfig | None = None,
        *,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> dict[str, Any]:
        """Train the models of a scheme and measure them on the held-out groups (paper, 6.2).

        Scheme 4 is a search for laws with the hinge loss; :meth:`discover_law` has its settings.
        """
        from morpholaw.study import classifier_step

        config = _settings(ClassifierConfig, config, settings)
        with self.writing():
            if scheme == 4:
                law = LawConfig(count=config.models, seed=config.seed)
                return classifier_step.discover(self, law, config, monitor)
            return classifier_step.train(self, scheme, config, monitor)

    def discover_law(
        self,
        config: LawConfig | None = None,
        *,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> Law:
        """Search for laws (paper, 6.4) and return the best on the training cells; :meth:`laws` has all."""
        from morpholaw.study import classifier_step

        config = _settings(LawConfig, config, settings)
        with self.writing():
            classifier_step.discover(self, config, None, monitor)
        return self.laws(config.loss)[0]

    def discover_class_laws(
        self,
        config: ClassLawConfig | None = None,
        *,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> ClassLaws | None:
        """Search for one law a class (paper, section 8); None where it was stopped before each class had one."""
        from morpholaw.study import class_law_step

        with self.writing():
            config = _settings(ClassLawConfig, config, settings)
            return class_law_step.discover(self, config, None, monitor)

    def class_laws(self, loss: Literal["hinge", "mse"] = "hinge") -> ClassLaws:
        """The laws of classes found with a loss; InputError where there are none."""
        from morpholaw.study import class_law_step

        return class_law_step.load(self, loss)

    def laws(self, loss: Literal["hinge", "mse"] = "hinge") -> list[Law]:
        """The laws found with a loss, best first."""
        return list(self.classifier(4, loss).laws)

    def classifier(self, scheme: int, loss: Literal["hinge", "mse"] = "hinge") -> Classifier:
        """The trained models of a scheme; InputError where there are none."""
        return classifiers.load(self, classifiers.name_of(scheme, loss))

    def tune(
        self,
        config: TuneConfig | None = None,
        *,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> dict[str, Any]:
        """Search scheme 3's settings with Optuna (paper, B.3.1); the best are used from then on."""
        from morpholaw.study import tune_step

        with self.writing():
            return tune_step.tune(self, _settings(TuneConfig, config, settings), monitor)

    # ---- results

    def classify(
        self,
        scheme: int,
        *,
        movie: Any = None,
        tracks: Any = None,
        crops: Path | str | CropSet | None = None,
        loss: Literal["hinge", "mse"] = "hinge",
        along_tracks: bool | None = None,
        config: CropConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> pd.DataFrame:
        """Score cells: of a movie with tracks, of a folder of images or of a crop set, or of the whole study.

        Parameters
        ----------
        scheme : int
            1 CNN, 2 dense head, 3 sparse head, 4 law.
        movie, tracks : path, array or table, optional
            As for :meth:`crop`. Cells are cut as the study's crops were, and resampled to the models' scale.
        crops : path or CropSet, optional
            A folder of images, or a crop set.
        loss : {"hinge", "mse"}
            Loss that the laws of scheme 4 were found with.
        along_tracks : bool, optional
            Let the order of the cell cycle have its say: a tracked cell's class is the most probable one given the
            scores along its whole track (:mod:`morpholaw.evaluation.track_hmm`), and not the sign of one score. By
            default wherever the tracks show divisions.
        config : CropConfig, optional
            How the movie is understood: pixel size, channel, frame offset and the like.
        monitor : Monitor, optional
            Where progress and warnings go, and whether to stop.
        **settings
            Settings of :class:`morpholaw.CropConfig`, which go over ``config``.

        Returns
        -------
        DataFrame
            crop, file, track_id, t, y, x, score, class; for a whole study also ``set``; along tracks also
            ``frame_class``, the sign's.
        """
        from morpholaw.study import classify_step

        classifier = self.classifier(scheme, loss)
        name = classifiers.name_of(scheme, loss)
        along = classify_step.along_tracks(self, name, along_tracks)
        said: dict[str, Any] = {"along": along, "monitor": monitor}
        if movie is not None:
            if tracks is None:
                raise InputError("A movie needs its tracks to be classified; give both.")
            config = _settings(CropConfig, config, settings)
            inputs = open_inputs(movie, tracks, config)
            return classify_step.classify_movie(self, classifier, inputs, config, **said)
        if config is not None or settings:
            raise InputError("Settings of the inputs, such as pixel_size, go with a movie and its tracks.")
        if isinstance(crops, CropSet):
            return classify_step.classify_set(classifier, crops, **said)
        if crops is not None:
            return classify_step.classify_folder(self, classifier, crops, **said)
        tables = []
        for crop_set in self.sets:
            table = classify_step.classify_set(classifier, crop_set, **said)
            table.insert(0, "set", crop_set.name)
            tables.append(table)
        if not tables:
            raise InputError(f"The study {self.path} has no crops to classify; cut or import some first.")
        return pd.concat(tables, ignore_index=True)

    def compare(self, monitor: Monitor = SILENT) -> pd.DataFrame:
        """How often the trained classifiers call a test cell alike: a row and a column of shares for each."""
        from morpholaw.study.compare_step import compare

        return compare(self, monitor)

    def attack(
        self,
        config: AttackConfig | None = None,
        *,
        schemes: Sequence[int] = (),
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> pd.DataFrame:
        """Accuracy under fast gradient sign attacks on the test cells (paper, 6.5), a row per model and eps.

        ``schemes`` are attacked one after another, in place of the one scheme of the settings.
        """
        from morpholaw.study import attack_step

        config = _settings(AttackConfig, config, settings)
        return attack_step.attack_schemes(self, schemes or (config.scheme,), config, monitor)

    def table1(self) -> pd.DataFrame:
        """The paper's Table 1 for this study."""
        from morpholaw.store.table1 import table1

        return table1(self)

    def law_card(self, out: Path | str, law: int = 0, loss: Literal["hinge", "mse"] = "hinge") -> Path:
        """Write all there is to say about one law as HTML, with a PDF and Markdown beside it; 0 is the best."""
        from morpholaw.report import law_card

        return law_card(self, loss, law, out)

    def export(
        self,
        kind: Format,
        out: Path | str,
        *,
        monitor: Monitor = SILENT,
        **wanted: Any,
    ) -> Path:
        """Write results for other programs: "zoo", "law", "csv", "trackmate", "btrack", "geff" or "anndata".

        Parameters
        ----------
        out : path
            The file; a folder for GEFF. It is there whole or not at all.
        **wanted
            Fields of :class:`morpholaw.study.export_step.Wanted`: scheme, loss, law, crops, tracks,
            along_tracks, author, licence.
        """
        from morpholaw.study import export_step

        return export_step.export(self, kind, out, export_step.Wanted(**wanted), monitor)

    def report(self, out: Path | str, monitor: Monitor = SILENT) -> Path:
        """Write a self-contained HTML report."""
        from morpholaw.report import write_report

        return write_report(self, Path(out), monitor)


def _settings(kind: Any, config: Any, settings: dict[str, Any]) -> Any:
    if config is None:
        return kind.from_values(settings)
    return kind.from_values({**config.model_dump(exclude_unset=True), **settings}) if settings else config
