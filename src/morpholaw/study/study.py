"""A study: one folder, one investigation. A click, a line of Python and a shell command are the same call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crops import cut_crops
from morpholaw.cells.import_crops import import_crops
from morpholaw.cells.movies import open_movie
from morpholaw.cells.tracks import open_tracks
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
from morpholaw.events import SILENT, Message, Monitor
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
            Settings of :class:`morpholaw.CropConfig`.
        """
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

    # ---- cells

    def crop(
        self,
        movie: Any,
        tracks: Any,
        *,
        labels: Path | str | None = None,
        name: str | None = None,
        config: CropConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> CropSet:
        """Cut a crop around every tracked cell of a movie into a new crop set.

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
        """
        config = _settings(CropConfig, config, settings)
        opened = open_movie(
            movie, name, config.pixel_size, config.channel, config.position, config.z, config.axes
        )
        for note in opened.facts.notes:
            monitor.emit(Message(note, "warning"))
        if tracks is None:
            raise InputError(
                f"The movie {opened.name} needs tracks; give a tracks file, a label stack or a table."
            )
        opened_tracks = open_tracks(
            tracks,
            movie_shape=opened.shape,
            movie_frames=opened.facts.frame_numbers,
            pixel_size=opened.pixel_size,
            ids=config.ids,
            frame_offset=config.frame_offset,
            frame_interval=config.frame_interval,
            swap_xy=config.swap_xy,
        )
        for note in opened_tracks.facts.notes:
            monitor.emit(Message(note, level="warning"))
        table = opened_tracks.table
        with self.writing():
            folder = self.new_set_folder(name or opened.name)
            crop_set = cut_crops(opened, table, folder, config, monitor=monitor)
        if labels is not None:
            self.annotations.import_csv(labels, crop_set)
        return crop_set

    def import_crops(
        self,
        folder: Path | str,
        *,
        name: str | None = None,
        config: ImportConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> CropSet:
        """Import a folder of crops, labelled by subfolder, into a new crop set."""
        config = _settings(ImportConfig, config, settings)
        with self.writing():
            out = self.new_set_folder(name or Path(folder).name)
            return import_crops(folder, out, config, monitor)

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
        monitor: Monitor = SILENT,
    ) -> pd.DataFrame:
        """Score cells: of a movie with tracks, of a folder of pictures or of a crop set, or of the whole study.

        Parameters
        ----------
        along_tracks : bool, optional
            Let the order of the cell cycle have its say: a tracked cell's class is the most probable one given the
            scores along its whole track (:mod:`morpholaw.evaluation.track_hmm`), and not the sign of one score. By
            default wherever the tracks show divisions.

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
            return classify_step.classify_movie(self, classifier, movie, tracks, **said)
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
