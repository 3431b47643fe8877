"""A study: one folder, one investigation. A click, a line of Python and a shell command are the same call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.inputs import open_inputs
from morpholaw.config import (
    AttackConfig,
    ClassifierConfig,
    CropConfig,
    EncoderConfig,
    ImportConfig,
    LawConfig,
    StepConfig,
    TimelineConfig,
    TuneConfig,
)
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers, encoders, timelines
from morpholaw.store.baseline_record import keep_baselines
from morpholaw.store.changes import tell_changes
from morpholaw.store.classifier_record import ClassifierRecord, Evaluation, name_of
from morpholaw.store.condition_record import tell_condition_notes
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.familiarity_record import familiarity, keep_familiarity
from morpholaw.store.labelled_cells import Labelled, all_labels, held_out, labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.store.study_record import DEFAULT_CLASSES
from morpholaw.store.table1 import table1
from morpholaw.store.tuned_record import TunedRecord
from morpholaw.training.distributed import is_main_process

if TYPE_CHECKING:
    from morpholaw.evaluation.adaptation import Adaptation
    from morpholaw.evaluation.cross_validation import Design
    from morpholaw.evaluation.timeline import Timeline
    from morpholaw.interpretation.cell_reasons import CellReasons
    from morpholaw.interpretation.latent_summary import LatentSummary
    from morpholaw.interpretation.law_sentence import LawSentence
    from morpholaw.models.class_laws import ClassLaws
    from morpholaw.models.classifier import Classifier
    from morpholaw.models.law import Law
    from morpholaw.models.vae import BetaTCVAE
    from morpholaw.store.adaptation_record import AdaptationRecord
    from morpholaw.study.export_step import Format
    from morpholaw.study.improve_law_step import LawStability
    from morpholaw.study.law_sheet_step import LawSheet
    from morpholaw.study.own_law_step import LawTest

Config = TypeVar("Config", bound=StepConfig)

# torch is imported when a step first needs it, so that opening a study in a widget stays quick.


class Study(StudyFolder):
    """One investigation on disk, and everything that can be done with it.

    Every step holds the study's lock while it runs, and writes its result whole or not at all. It takes its settings
    as a configuration, as keywords, or as both: keywords take precedence. With ``preset="paper"`` among the keywords,
    settings that are not given are the paper's and not the defaults. ``monitor`` receives its progress and can
    stop it (:mod:`morpholaw.events`).

    Parameters
    ----------
    path : path
        The folder of an existing study; :meth:`create` makes a new one.

    Attributes
    ----------
    progress : bool
        Whether steps that are called without ``monitor`` display their progress: a bar in a terminal, a line now and
        then elsewhere. Set it to False for silence.

    Raises
    ------
    InputError
        When the folder is not a study, or was written by a newer version.

    Examples
    --------
    >>> study = Study.create("mdck", movie="movie.tif", tracks="tracks.h5")  # doctest: +SKIP
    >>> study.train_encoder(epochs=5)  # doctest: +SKIP
    >>> study.train_classifier(3, models=10)  # doctest: +SKIP
    >>> law = study.discover_law(loss="hinge")  # doctest: +SKIP
    """

    progress: bool = True

    @classmethod
    def create(
        cls,
        path: Path | str,
        movie: Any = None,
        tracks: Any = None,
        classes: Sequence[str] = DEFAULT_CLASSES,
        **crop: Any,
    ) -> Study:
        """Make a study; with a movie and its tracks, also cut their crops.

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
            The new study.

        Raises
        ------
        InputError
            When something else is at ``path``, or the movie cannot be cut; no folder is left behind.
        """
        from morpholaw.study.crop_step import removed_on_failure

        if isinstance(classes, str):
            raise InputError(f"The classes are a list of names, such as [{classes!r}], and not one text.")
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

    @shows_progress
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
            Settings; the defaults where it is left out.
        monitor : Monitor
            Progress, warnings and cancellation.
        **settings
            Settings of :class:`morpholaw.CropConfig`, among them ``size`` (64 pixels), ``edge`` ("background",
            "reflect" or "drop"), ``brightness`` ("cell" or "source"), ``pixel_size`` and ``model_pixel_size``
            (micrometres per pixel), and ``channel`` where a movie has several.

        Returns
        -------
        CropSet
            The new crop set.

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

    @shows_progress
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
            Image files, one per cell, in subfolders where they have classes.
        name : str, optional
            The set's name; by default the folder's.
        config : ImportConfig, optional
            Settings; the defaults where it is left out.
        monitor : Monitor
            Progress, warnings and cancellation.
        **settings
            Settings of :class:`morpholaw.ImportConfig`: ``classes`` (class name to a list of subfolders),
            ``group_regex`` (the part of a path that names the movie or track), ``size`` (64 pixels), ``brightness``
            and ``pixel_size``.

        Returns
        -------
        CropSet
            The new crop set.

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

    @shows_progress
    def condition_study(
        self, out: Path | str, conditions: Path | str | pd.DataFrame, *, monitor: Monitor = SILENT
    ) -> Study:
        """Make a study whose classes are conditions, to find what separates treated from untreated cells.

        The new study has the crops of the movies in the table, each cell with its movie's condition as its class, and
        this study's encoder. Classifiers, laws, baselines, interventions and the report are those of any study. Whole
        replicates are held out for testing, never some of the cells of a movie; where a condition has one replicate
        that is impossible, and the new study says what its accuracy then means.

        Parameters
        ----------
        out : path
            A new or empty folder.
        conditions : path or DataFrame
            A table with the columns ``movie`` (the name of a crop set), ``condition`` and ``replicate``.
        monitor : Monitor
            Receives what limits the results.

        Returns
        -------
        Study
            The new study.

        Raises
        ------
        InputError
            When the table is wrong or has one condition, or something else is at ``out``; nothing is left behind.
        """
        from morpholaw.evaluation.conditions import given_conditions
        from morpholaw.study.condition_study_step import copy_as_conditions
        from morpholaw.study.crop_step import removed_on_failure

        found = given_conditions(conditions, [one.name for one in self.sets])
        with removed_on_failure(Path(out)):
            study = type(self).create(out, classes=found.names)
            copy_as_conditions(self, found, study)
            if self.has_encoder:
                study.load_encoder(self.path / "encoder")
        tell_condition_notes(study, monitor)
        return study

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
        """The class of every crop, str (n,); "" where it has none."""
        return all_labels(self)

    def split(self, config: ClassifierConfig | None = None, **settings: Any) -> Labelled:
        """Split the labelled cells by group, as the training of classifiers does.

        Parameters
        ----------
        config : ClassifierConfig, optional
            Settings; the defaults where it is left out.
        **settings
            Settings of :class:`morpholaw.ClassifierConfig`: ``classes`` (by default interphase and
            metaphase where both are labelled, else every labelled class), ``test_fraction`` (by default 10 %, or 25 %
            of fewer than 2000 cells) and ``split_seed``.

        Returns
        -------
        Labelled
            ``train`` and ``test``, indices into :attr:`crops`, with ``train_targets`` and ``test_targets``, places in
            its ``classes``.

        Raises
        ------
        InputError
            When a class has no cell, or too few groups to be on both sides.
        """
        return labelled_cells(self, _settings(ClassifierConfig, config, settings))

    def held_out(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Find the cells that no model of a classifier was trained on.

        Parameters
        ----------
        name : str
            The classifier, e.g. "scheme2" or "scheme4-hinge".

        Returns
        -------
        cells : ndarray, int64 (n,)
            Indices into :attr:`crops`.
        targets : ndarray, int64 (n,)
            Class numbers, 0 to C - 1; with two classes, 1 is that of f >= 0.

        Raises
        ------
        InputError
            When there is no such classifier, or the labels have changed since it was trained.
        """
        return held_out(self, name)

    @shows_progress
    def train_encoder(
        self,
        config: EncoderConfig | None = None,
        *,
        resume: bool = False,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> EncoderRecord:
        """Train the beta-TCVAE on all crops (paper, 5.1).

        Processes that ``torchrun`` started train it together; the first of them holds the lock and writes.

        Parameters
        ----------
        config : EncoderConfig, optional
            Settings; the defaults where it is left out.
        resume : bool
            Continue a stopped training from its checkpoint, with the same settings.
        monitor : Monitor
            Progress, losses, previews and cancellation. A stopped training keeps the encoder as it is and a
            checkpoint.
        **settings
            Settings of :class:`morpholaw.EncoderConfig`, among them ``epochs`` (5), ``epoch_crops`` (1,200,000: a
            smaller study is repeated up to this number), ``latents`` (32), ``beta`` (12), ``learning_rate`` (5e-4),
            ``batch_size`` (256), ``start_from`` ("auto", "sample", "none" or a folder), ``task`` (0: labels are not
            used), ``device`` ("auto") and ``seed`` (0).

        Returns
        -------
        EncoderRecord
            Settings, losses and provenance; ``complete`` is False after a stop.

        Raises
        ------
        InputError
            When there are no crops, a setting is wrong, or the loss is no longer a number.
        StudyLockedError, StudyGoneError, NoSpaceError
            When the study cannot be written to.
        """
        from morpholaw.study import encoder_step

        with self.writing() if is_main_process() else nullcontext():
            return encoder_step.train(self, _settings(EncoderConfig, config, settings), resume, monitor)

    def load_encoder(self, source: Path | str) -> None:
        """Take over a trained encoder.

        Parameters
        ----------
        source : path
            The folder ``encoder`` of another study, or "sample" for the encoder that comes with Morpholaw.

        Raises
        ------
        InputError
            When there is no encoder, it is damaged, or it reads crops of another size or another scale.
        """
        from morpholaw.sample import sample_folder
        from morpholaw.study import encoder_step

        with self.writing():
            encoder_step.adopt(self, sample_folder() / "encoder" if source == "sample" else Path(source))

    def shapes(self, neighbourhood: bool = False) -> pd.DataFrame:
        """Measure the nucleus of every crop, in micrometres where the study's scale is known.

        Parameters
        ----------
        neighbourhood : bool
            Also measure the other nuclei in the crop.

        Returns
        -------
        DataFrame
            One row per crop in the order of :attr:`crops`, and one column per shape
            (:func:`morpholaw.cells.shape_features.shape_features`); NaN where the crop shows no nucleus.

        Raises
        ------
        InputError
            When there are no crops.
        """
        from morpholaw.cells.shape_features import measure_features
        from morpholaw.study.scale import model_scale

        scale = model_scale(self)
        pixel_size = None if scale is None else scale.pixel_size
        crops = self.crops
        parts = [
            measure_features(crops[np.arange(i, min(i + 4096, len(crops)))], pixel_size, neighbourhood)
            for i in range(0, len(crops), 4096)
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def encoder(self) -> BetaTCVAE:
        """The trained beta-TCVAE, in evaluation mode; InputError where there is none yet."""
        return encoders.of_study(self)

    @shows_progress
    def latents(self, monitor: Monitor = SILENT) -> tuple[np.ndarray, np.ndarray]:
        """Encode all crops; computed once for each encoder, then read from the study.

        Parameters
        ----------
        monitor : Monitor
            Progress and cancellation.

        Returns
        -------
        means, log_variances : ndarray, float32 (n, latents)
            Of q(z|x), in the order of :attr:`crops`; fewer rows after a stop.

        Raises
        ------
        InputError
            When there are no crops or no encoder.
        """
        return encoders.latents(self, monitor)

    def latent_summary(self) -> LatentSummary:
        """Summarise what each latent encodes, on one evenly spaced sample of the study's cells.

        The Latents panel and the report show the same summary.

        Returns
        -------
        LatentSummary
            Activity of the latents, their correlations with measured shapes, and suggested names.

        Raises
        ------
        InputError
            When there is no encoder yet.
        """
        from morpholaw.store.latent_sample import latent_sample

        return latent_sample(self, self.encoder).summary

    @shows_progress
    def train_classifier(
        self,
        scheme: int,
        config: ClassifierConfig | None = None,
        *,
        name: str | None = None,
        replace: bool = False,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> ClassifierRecord | None:
        """Train the models of a scheme and measure them on held-out groups (paper, 6.2).

        Parameters
        ----------
        scheme : int
            1: CNN, 2: dense head on latents, 3: sparse head on latents, 4: law. Scheme 4 is a search for laws with
            the hinge loss; :meth:`discover_law` has all its settings.
        config : ClassifierConfig, optional
            Settings; the defaults where it is left out.
        name : str, optional
            What the models are called in the study: letters, digits, "-", "_" and "."; by default after the scheme,
            e.g. "scheme2". A study holds any number of classifiers side by side.
        replace : bool
            Replace models of the same name that tell other classes apart. Models of the same classes are always
            replaced.
        monitor : Monitor
            Progress, losses and cancellation. A stopped training keeps the models from before and a checkpoint;
            training again with the same settings continues from there.
        **settings
            Settings of :class:`morpholaw.ClassifierConfig`, among them ``classes`` (two or more; by default
            interphase and metaphase where both are labelled, else every labelled class), ``models`` (10),
            ``epochs`` (100), ``learning_rate`` (1e-3), ``split_seed`` (0), ``test_fraction`` (by default 10 %, or 25 %
            of fewer than 2000 cells), ``sparsity`` (0.951, or as tuned), ``device`` ("auto") and ``seed`` (0).

        Returns
        -------
        ClassifierRecord or None
            Settings, evaluation and provenance; None after a stop.

        Raises
        ------
        InputError
            When labels or the encoder are missing, a setting is wrong, there are models of other classes, or the
            loss is no longer a number.
        StudyLockedError, StudyGoneError, NoSpaceError
            When the study cannot be written to.
        """
        from morpholaw.study import classifier_step, law_step

        config = _settings(ClassifierConfig, config, settings)
        tell_condition_notes(self, monitor)
        with self.writing():
            if scheme == 4:
                count = {"count": config.models} if "models" in config.model_fields_set else {}
                preset = {"preset": settings.get("preset")}
                law = LawConfig.from_values(
                    {**preset, "seed": config.seed, "inputs": config.inputs, "shapes": config.shapes, **count}
                )
                record = law_step.discover(self, law, config, monitor, replace, name)
            else:
                record = classifier_step.train(self, scheme, config, monitor, replace, name)
            if record is not None:
                keep_baselines(self, labelled_cells(self, record.config))
                keep_familiarity(self, record)
            return record

    @shows_progress
    def discover_law(
        self,
        config: LawConfig | None = None,
        *,
        name: str | None = None,
        replace: bool = False,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> Law | ClassLaws:
        """Search for laws on the latents that scheme 3 kept (paper, 6.4), on measured shapes, or on both.

        Parameters
        ----------
        config : LawConfig, optional
            Settings; the defaults where it is left out.
        name : str, optional
            What the laws are called in the study; by default after their loss, e.g. "scheme4-hinge".
        replace : bool
            Replace laws of the same name that tell other classes apart. Laws of the same classes are always replaced.
        monitor : Monitor
            Progress, fronts and cancellation. A stopped search keeps the laws that it found.
        **settings
            Settings of :class:`morpholaw.LawConfig`, among them ``loss`` ("hinge" on the labels or "mse" to scheme
            3's outputs), ``inputs`` ("latents", "shapes" or "both"), ``shapes`` (names, by default all of the cell
            itself), ``classes`` (by default those of scheme 3), ``count`` (10 laws), ``engine`` ("auto", "pysr" or
            "embedded"), ``evaluations`` (500,000 per restart), ``max_complexity`` (20), ``latents`` (by default those
            that scheme 3 kept), ``processes`` (0: all free cores) and ``seed`` (0).

        Returns
        -------
        Law or ClassLaws
            The most accurate law on the training cells; :meth:`laws` returns all. With more than two classes, one law
            per class, which are fitted to each other: the class is that of the largest.

        Raises
        ------
        InputError
            When labels are missing, for latents also the encoder or scheme 3, a setting is wrong, or no law was found.
        StudyLockedError, StudyGoneError, NoSpaceError
            When the study cannot be written to.
        """
        from morpholaw.study import law_step

        config = _settings(LawConfig, config, settings)
        tell_condition_notes(self, monitor)
        with self.writing():
            record = law_step.discover(self, config, None, monitor, replace, name)
            if record is not None:
                keep_baselines(self, labelled_cells(self, record.config))
                keep_familiarity(self, record)
        record = classifiers.record(self, name or name_of(4, config.loss))
        return record.laws[0] if record.two_classes else record.class_laws

    def class_laws(self, name: str = "scheme4-hinge") -> ClassLaws:
        """Return the laws of more than two classes that are kept under a name; InputError where there are none."""
        return classifiers.record(self, name).class_laws

    def law_sentence(
        self, law: int = 0, loss: Loss = "hinge", class_name: str | None = None, name: str | None = None
    ) -> LawSentence:
        """Put a law into words and units, for the range of the labelled cells.

        Parameters
        ----------
        law : int
            Its place in :meth:`laws`; 0 is the best on the training cells.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        class_name : str, optional
            With more than two classes, the one that is told from all others.
        name : str, optional
            The laws by their name in the study, in place of their loss.

        Returns
        -------
        LawSentence
            ``text``, the sentence; ``inequality``, the simplest one that holds for the positive class; and for each
            input which way it pushes (proved over the range of the cells) and where the class changes.

        Raises
        ------
        InputError
            When there is no such law or class.
        """
        from morpholaw.store.law_reading import read_law

        return read_law(self, self.classifier(name or 4, loss), law, class_name).sentence()

    def explain_cell(
        self, cell: int, law: int = 0, loss: Loss = "hinge", name: str | None = None
    ) -> CellReasons:
        """Say why a law calls a cell what it does, in words and units.

        Parameters
        ----------
        cell : int
            Its index among the study's crops, as :meth:`test_law` lists cells that a law gets wrong.
        law : int
            The law's place in :meth:`laws`; 0 is the best on the training cells.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        name : str, optional
            The laws by their name in the study, in place of their loss.

        Returns
        -------
        CellReasons
            ``text``, and what it is made from: each term of the law in this cell and in the median cell, the term that
            decides, and for each input the smallest change that would change the class, with the share of labelled
            cells that are nearer to the boundary. With more than two classes, the likeliest is compared with the
            second.

        Raises
        ------
        InputError
            When there is no such cell or law.

        Examples
        --------
        >>> print(study.explain_cell(17).text)  # doctest: +SKIP
        Called metaphase. What decides: contrast, which is 0.41 here and 0.22 in the median cell. ...
        """
        from morpholaw.store.law_reading import explain_cell

        return explain_cell(self, self.classifier(name or 4, loss), cell, law)

    def law_sheet(
        self,
        out: Path | str,
        law: int = 0,
        loss: Loss = "hinge",
        class_name: str | None = None,
        name: str | None = None,
        unlabelled: bool = False,
    ) -> LawSheet:
        """Draw twenty cells that show what a law does: typical of each side, and nearest to its boundary.

        Parameters
        ----------
        out : path
            The picture, a file that ends in .png, .pdf or .svg.
        law : int
            Its place in :meth:`laws`; 0 is the first.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        class_name : str, optional
            With more than two classes, the one that is told from all others.
        name : str, optional
            The laws by their name in the study, in place of their loss.
        unlabelled : bool
            Draw the cells in a random order without titles or labels, to be sorted by a person who reads the sentence
            alone. The answers are in what is returned.

        Returns
        -------
        LawSheet
            The cells row by row, with their indices, labels and scores.

        Raises
        ------
        InputError
            When there is no such law or class, or the file cannot be written.
        """
        from morpholaw.cells.files import atomic_file
        from morpholaw.figures.law_sheet import law_sheet as draw
        from morpholaw.study.law_sheet_step import law_sheet

        path = Path(out)
        if path.suffix not in (".png", ".pdf", ".svg"):
            raise InputError(
                f"A sheet is written to a file ending in .png, .pdf or .svg, not to {path.name}."
            )
        sheet = law_sheet(self, self.classifier(name or 4, loss), law, class_name)
        if unlabelled:
            sheet = sheet.shuffled()
            numbers = np.split(
                np.arange(1, 1 + sum(map(len, sheet.cells))), np.cumsum([*map(len, sheet.cells)])[:-1]
            )
            figure = draw(sheet.rows, sheet.titles, [[str(one) for one in row] for row in numbers])
        else:
            figure = draw(sheet.rows, sheet.titles, sheet.captions)
        with atomic_file(path) as stream:
            figure.savefig(stream, format=path.suffix[1:], dpi=150)
        return sheet

    @shows_progress
    def improve_law(
        self,
        law: int = 0,
        loss: Loss = "hinge",
        name: str | None = None,
        expression: str | None = None,
        evaluations: int | None = None,
        monitor: Monitor = SILENT,
    ) -> Law:
        """Search on from a law, or from a formula of your own, and keep what is better.

        Two searches begin with the law and variants of it among random expressions. A better law, on the training
        cells, becomes the first, which is applied and measured on the held-out cells; otherwise nothing changes.

        Parameters
        ----------
        law : int
            The law's place in :meth:`laws`; 0 is the first.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        name : str, optional
            The laws by their name in the study, in place of their loss.
        expression : str, optional
            A formula to begin with in place of the law, over the same inputs, shapes in units.
        evaluations : int, optional
            Expressions tried in each search; by default as many as the laws were searched with.
        monitor : Monitor
            Progress and cancellation.

        Returns
        -------
        Law
            The first law.

        Raises
        ------
        InputError
            When there is no such law, there are more than two classes, or the training cells are no longer there.
        StudyLockedError, StudyGoneError, NoSpaceError
            When the study cannot be written to.
        """
        from morpholaw.study.improve_law_step import improve

        with self.writing():
            record = improve(self, name or name_of(4, loss), law, expression, evaluations, monitor)
            keep_familiarity(self, record)
        return record.laws[0]

    @shows_progress
    def law_stability(
        self,
        law: int = 0,
        loss: Loss = "hinge",
        name: str | None = None,
        resamples: int = 20,
        evaluations: int = 30_000,
        seed: int = 0,
        monitor: Monitor = SILENT,
    ) -> LawStability:
        """Search anew on resampled groups of training cells: how often inputs, directions and form of a law come back.

        Parameters
        ----------
        law : int
            The law's place in :meth:`laws`; 0 is the first.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        name : str, optional
            The laws by their name in the study, in place of their loss.
        resamples : int
            Bootstrap resamples of the groups, each with one search.
        evaluations : int
            Expressions tried in each search.
        seed : int
            Of resamples and searches.
        monitor : Monitor
            Progress and cancellation; a stop returns what was found so far.

        Returns
        -------
        LawStability
            ``text``, a few sentences, and the numbers. The sentences are kept beside the laws, for panel and card.

        Raises
        ------
        InputError
            When there is no such law, there are more than two classes, or the training cells are no longer there.
        StudyLockedError, StudyGoneError, NoSpaceError
            When the study cannot be written to.
        """
        from morpholaw.store.law_stability import keep_stability
        from morpholaw.study.improve_law_step import stability

        laws = name or name_of(4, loss)
        with self.writing():
            found = stability(self, laws, law, resamples, evaluations, seed, monitor)
            if found.searches:
                keep_stability(self, laws, classifiers.record(self, laws).laws[law].text(), found.text)
        return found

    def apply_law(self, law: int, loss: Loss = "hinge", name: str | None = None) -> Law:
        """Choose the law that scheme 4 applies: it becomes the first, and is measured on the held-out cells.

        Parameters
        ----------
        law : int
            Its place in :meth:`laws`.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        name : str, optional
            The laws by their name in the study, in place of their loss.

        Returns
        -------
        Law
            The law that is applied from now on wherever no other is chosen. The others keep their order.

        Raises
        ------
        InputError
            When there is no such law, there are more than two classes, or the held-out cells are no longer there.
        StudyLockedError, StudyGoneError, NoSpaceError
            When the study cannot be written to.
        """
        from morpholaw.study.applied_law_step import apply_law

        with self.writing():
            record = apply_law(self, name or name_of(4, loss), law)
            keep_familiarity(self, record)
        return record.laws[0]

    def test_law(self, expression: str, *, loss: Loss = "hinge", class_name: str | None = None) -> LawTest:
        """Test a formula of your own on held-out cells, beside the laws that were found.

        Parameters
        ----------
        expression : str
            Of latents and of shapes in units, such as ``"width < 9 and axis_ratio > 1.9"`` or ``"z1 - 0.8*z3"``:
            numbers, ``+ - * /``, squares, ``abs exp log sin sqrt square min max``, comparisons, ``and or not``.
        loss : {"hinge", "mse"}
            The loss of the laws beside it, which also says which cells are held out.
        class_name : str, optional
            The class that cells are of where the formula holds (0 or more); by default the second, as for laws.

        Returns
        -------
        LawTest
            Accuracy with its interval, the same for each law of the study and on how many cells the two differ, and
            the indices of the cells that the formula gets wrong.

        Raises
        ------
        InputError
            When the text is no formula of latents and shapes, no cells are labelled, or there is no such class.

        Examples
        --------
        >>> tested = study.test_law("width < 9 and axis_ratio > 1.9")  # doctest: +SKIP
        >>> tested.tested.accuracy, tested.wrong  # doctest: +SKIP
        """
        from morpholaw.study import own_law_step

        return own_law_step.measure_own_law(self, expression, loss, class_name)

    def laws(self, loss: Loss = "hinge") -> list[Law]:
        """Return the laws that were found with a loss, best on the training cells first.

        Parameters
        ----------
        loss : {"hinge", "mse"}
            The loss of the search.

        Returns
        -------
        list of Law
            All laws of the search.

        Raises
        ------
        InputError
            When there are none.
        """
        return list(classifiers.record(self, name_of(4, loss)).laws)

    def classifier(self, scheme: int | str, loss: Loss = "hinge") -> Classifier:
        """Open the models of a classifier.

        Parameters
        ----------
        scheme : int or str
            The scheme, 1 to 4, or the name of a classifier, e.g. "scheme4-mse" or one given to
            :meth:`add_classifier`.
        loss : {"hinge", "mse"}
            Of scheme 4's laws.

        Returns
        -------
        Classifier
            In evaluation mode.

        Raises
        ------
        InputError
            When it was not trained, or its files are damaged.
        """
        return classifiers.load(self, _name(scheme, loss))

    def add_classifier(
        self,
        classifier: Classifier,
        name: str,
        config: ClassifierConfig | None = None,
        *,
        replace: bool = False,
    ) -> ClassifierRecord:
        """Keep a classifier that was made by hand, measured on held-out cells like the others.

        Parameters
        ----------
        classifier : Classifier
            The models. They should have been trained on the training cells of :meth:`split` at most.
        name : str
            What it is called in the study: letters, digits, "-", "_" and ".".
        config : ClassifierConfig, optional
            The split that it is tested on; the classes are those of the classifier.
        replace : bool
            Replace a classifier of the same name that tells other classes apart.

        Returns
        -------
        ClassifierRecord
            Its evaluation and provenance.

        Raises
        ------
        InputError
            When the name cannot be used, or a class has no held-out cell.

        Examples
        --------
        >>> law = Law.parse("z3 - 0.5", ["z3"])  # doctest: +SKIP
        >>> classes = ("interphase", "metaphase")  # doctest: +SKIP
        >>> classifier = Classifier.with_laws(study.encoder, [law], classes)  # doctest: +SKIP
        >>> study.add_classifier(classifier, "by-hand").evaluation.accuracy  # doctest: +SKIP
        (0.94,)
        """
        from morpholaw.study import evaluation_step

        config = _of_classes(classifier, config)
        classifiers.check_replaceable(self, name, config.classes, replace)
        with self.writing():
            return evaluation_step.keep(self, classifier, name, labelled_cells(self, config), config)

    def evaluate(self, classifier: Classifier, config: ClassifierConfig | None = None) -> Evaluation:
        """Measure a classifier, e.g. one that was made by hand, on held-out cells.

        Parameters
        ----------
        classifier : Classifier
            The models.
        config : ClassifierConfig, optional
            The split that it is tested on; the classes are those of the classifier.

        Returns
        -------
        Evaluation
            Accuracy of each model and of their median score, confusion matrix and calibration.

        Raises
        ------
        InputError
            When a class has no held-out cell.
        """
        from morpholaw.study import evaluation_step

        return evaluation_step.evaluate(
            self, classifier, labelled_cells(self, _of_classes(classifier, config))
        )

    @shows_progress
    def tune(
        self,
        config: TuneConfig | None = None,
        *,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> TunedRecord:
        """Search scheme 3's settings with Optuna (paper, B.3.1); the best are used from then on.

        Parameters
        ----------
        config : TuneConfig, optional
            Settings; the defaults where it is left out.
        monitor : Monitor
            Progress and cancellation. A search that is run again continues where it stopped.
        **settings
            Settings of :class:`morpholaw.TuneConfig`, among them ``trials`` (200), ``runs`` (5 models per trial),
            ``storage`` (an Optuna URL to share), ``classes``, ``test_fraction`` and ``split_seed``
            (as for :meth:`train_classifier`; the test cells are not used).

        Returns
        -------
        TunedRecord
            The best sparsity, update interval and update fraction.

        Raises
        ------
        InputError
            When labels or the encoder are missing, a setting is wrong, or the storage cannot be used.
        """
        from morpholaw.study import tune_step

        with self.writing():
            return tune_step.tune(self, _settings(TuneConfig, config, settings), monitor)

    @shows_progress
    def classify(
        self,
        scheme: int | str,
        *,
        movie: Any = None,
        tracks: Any = None,
        crops: Path | str | CropSet | None = None,
        loss: Loss = "hinge",
        law: int | Literal["median"] | None = None,
        along_tracks: bool | None = None,
        stages: Sequence[str] = (),
        final: Sequence[str] = (),
        adapted: str | None = None,
        config: CropConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> pd.DataFrame:
        """Score cells: of a movie with tracks, of a folder of crops or a crop set, or of the whole study.

        Parameters
        ----------
        scheme : int or str
            The scheme, 1 to 4, or the name of a classifier.
        movie, tracks : path, array or table, optional
            As for :meth:`crop`. Cells are cut as the study's crops were, and resampled to the models' scale; the crops
            are not kept.
        crops : path or CropSet, optional
            A crop set, its folder, or a folder of image files.
        loss : {"hinge", "mse"}
            Of scheme 4's laws.
        law : int or "median", optional
            The law of scheme 4 that is applied, by its place in :meth:`laws`; by default 0, the first. "median" applies
            the median score of all laws.
        along_tracks : bool, optional
            Use the order of the cell cycle: a tracked cell's class is the most probable one given the scores along
            its whole track (:mod:`morpholaw.evaluation.track_hmm`, of more than two classes
            :mod:`morpholaw.evaluation.stage_hmm`) rather than that of its own score. By default wherever the tracks
            show divisions, or, of more than two classes, wherever the order of stages is known.
        stages, final : sequence of str
            Of more than two classes: the stages in the order in which a cell passes through them, the last leading back
            to the first, and those that no cell leaves. By default the order of :meth:`set_stages`, else the one that
            the labelled tracks of the study show.
        adapted : str, optional
            Name of a crop set; the classifier is applied as it was adapted to that set (:meth:`adapt`). Cells of a set
            that the classifier was adapted to need no name.
        config : CropConfig, optional
            How the movie is understood: pixel size, channel, frame offset and the like.
        monitor : Monitor
            Progress, warnings and cancellation.
        **settings
            Settings of :class:`morpholaw.CropConfig`, which take precedence over ``config``.

        Returns
        -------
        DataFrame
            One row per cell: crop, file, track_id, t, y, x, score, class, probability; for a whole study also ``set``;
            along tracks also ``frame_class``, that of the frame alone. ``score`` is the median over the models, and
            ``probability`` that of the cell's class if all classes were equally frequent, calibrated on held-out
            cells. With more than two classes ``score`` is the margin of the best class over the second, and there are
            ``score_NAME``, the logarithm of the models' softmax, and ``probability_NAME`` of each class. ``unusual``
            marks crops that are not made like those of the training cells (:mod:`morpholaw.evaluation.familiarity`);
            the column is missing where those are not known.

        Raises
        ------
        InputError
            When there is no such classifier, no cell, or the movie or its tracks cannot be read.
        """
        from morpholaw.study import adapt_step, classify_step

        name = _name(scheme, loss)
        classifier: Classifier
        evaluation: Evaluation | None
        if law == "median":
            classifier, evaluation = classify_step.all_models(self, name)
        elif law is not None:
            classifier, evaluation = classify_step.one_law(self, name, law)
        else:
            classifier, evaluation = classify_step.applied(self, name)
        order = StageOrder.of(stages, final) if stages else None
        along = classify_step.along_tracks(self, name, along_tracks, evaluation, order)
        if along is not None and along.order is not None:
            monitor.emit(Message(f"Stages along tracks: {along.order.text}."))
        known = familiarity(self, name)

        def adaptation(crop_set: str | None) -> Adaptation | None:
            return adapt_step.chosen(self, name, law, crop_set, adapted, monitor)

        if movie is not None:
            if tracks is None:
                raise InputError("A movie needs its tracks to be classified; give both.")
            config = _settings(CropConfig, config, settings)
            inputs = open_inputs(movie, tracks, config)
            return classify_step.classify_movie(
                self, classifier, inputs, config, along, monitor, evaluation, known, adaptation(None)
            )
        if config is not None or settings:
            raise InputError("Settings of the inputs, such as pixel_size, go with a movie and its tracks.")
        if isinstance(crops, CropSet):
            adapted_scores = adaptation(adapt_step.own_set(self, crops.folder))
            return classify_step.classify_set(
                classifier, crops, along, monitor, evaluation, known, adapted_scores
            )
        if crops is not None:
            adapted_scores = adaptation(adapt_step.own_set(self, Path(crops)))
            return classify_step.classify_folder(
                self, classifier, crops, along, monitor, evaluation, known, adapted_scores
            )
        tell_changes(self, [name], monitor)
        tables = []
        for crop_set in self.sets:
            table = classify_step.classify_set(
                classifier, crop_set, along, monitor, evaluation, known, adaptation(crop_set.name)
            )
            table.insert(0, "set", crop_set.name)
            tables.append(table)
        if not tables:
            raise InputError(f"The study {self.path} has no crops to classify; cut or import some first.")
        return pd.concat(tables, ignore_index=True)

    def rename_classes(
        self, names: Mapping[str, str], monitor: Monitor = SILENT, *, merge: bool = False
    ) -> int:
        """Rename classes, or merge several by giving them one name.

        A class that takes a new name keeps its classifiers. Classifiers of classes that are merged stay as they were
        trained.

        Parameters
        ----------
        names : mapping of str to str
            Old names to new ones.
        monitor : Monitor
            Receives a warning for each classifier that must be trained again.
        merge : bool
            Whether classes may become one, by a name that another class has.

        Returns
        -------
        int
            Cells whose label changed.

        Raises
        ------
        InputError
            When there is no such class, a new name is empty, or classes would become one without ``merge``.
        """
        from morpholaw.study import class_step

        with self.writing():
            return class_step.rename(self, names, monitor, merge=merge)

    def arrange_classes(self, order: Sequence[str]) -> None:
        """Show classes in another order, everywhere.

        Parameters
        ----------
        order : sequence of str
            Names of classes; those that are left out follow.

        Raises
        ------
        InputError
            When there is no such class.
        """
        from morpholaw.study import class_step

        class_step.arrange(self, order)

    def colour_classes(self, colours: Mapping[str, str]) -> None:
        """Give classes colours of your own, everywhere.

        Parameters
        ----------
        colours : mapping of str to str
            Class names to colours such as "#009e73"; "" for the usual colour, which colour-blind people can tell from
            the others.

        Raises
        ------
        InputError
            When there is no such class, or a colour is of another form.
        """
        from morpholaw.study import class_step

        class_step.colour(self, colours)

    def remove_class(self, name: str) -> None:
        """Remove a class that no cell has.

        Parameters
        ----------
        name : str
            The class.

        Raises
        ------
        InputError
            When there is no such class, or cells are labelled with it.
        """
        from morpholaw.study import class_step

        class_step.remove(self, name)

    def set_stages(self, stages: Sequence[str], final: Sequence[str] = ()) -> StageOrder | None:
        """Say in which order a cell passes through the classes, for classification along tracks.

        Parameters
        ----------
        stages : sequence of str
            The stages in their order, the one in which cells spend most of their time first; the last leads back to it.
            Without any, the order is again learnt from labelled tracks.
        final : sequence of str
            Classes that a cell may enter from any other and that none leaves, such as apoptosis.

        Returns
        -------
        StageOrder or None
            What is now used for all classes of the study; None where no order is known.

        Raises
        ------
        InputError
            When a stage is none of the study's classes or is named twice, or the file cannot be written.
        """
        from morpholaw.study.stages import stage_order

        order = StageOrder.of(stages, final) if stages else None
        if order is not None:
            order.check(self.classes)
        cycle, last = (order.cycle, order.final) if order else ((), ())
        self.keep_classes(self.class_record.model_copy(update={"stages": cycle, "final": last}))
        return stage_order(self, self.classes)

    @shows_progress
    def adapt(
        self,
        scheme: int | str,
        crop_set: str,
        *,
        loss: Loss = "hinge",
        labels: bool = True,
        monitor: Monitor = SILENT,
    ) -> AdaptationRecord:
        """Set threshold and scale of a classifier of two classes for one crop set; the models stay as they are.

        Another microscope shifts and stretches scores, often without changing their order. What is set applies to
        that set alone, wherever its cells are classified, until :meth:`undo_adaptation`.

        Parameters
        ----------
        scheme : int or str
            The scheme, 1 to 4, or the name of a classifier. Of scheme 4 the first law is adapted.
        crop_set : str
            Name of a crop set of the study, e.g. cut from the new movie.
        loss : {"hinge", "mse"}
            Of scheme 4's laws.
        labels : bool
            Use the set's labels where cells of both classes are labelled, ten of each are many; otherwise the
            distribution of all scores of the set.
        monitor : Monitor
            Progress and cancellation.

        Returns
        -------
        AdaptationRecord
            Threshold, scale, and what they come from.

        Raises
        ------
        InputError
            When there is no such set or classifier, it has more than two classes, there are too few cells, or the
            labels contradict the scores.
        """
        from morpholaw.study import adapt_step

        with self.writing():
            return adapt_step.adapt(self, _name(scheme, loss), crop_set, labels, monitor)

    def undo_adaptation(self, scheme: int | str, crop_set: str, *, loss: Loss = "hinge") -> None:
        """Remove what :meth:`adapt` set.

        Parameters
        ----------
        scheme, crop_set, loss
            As for :meth:`adapt`.

        Raises
        ------
        InputError
            When the classifier is not adapted to the set.
        """
        from morpholaw.study import adapt_step

        with self.writing():
            adapt_step.undo(self, _name(scheme, loss), crop_set)

    @shows_progress
    def timeline(
        self,
        scheme: int | str,
        *,
        conditions: Path | str | pd.DataFrame | None = None,
        out: Path | str | None = None,
        loss: Loss = "hinge",
        config: TimelineConfig | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> Timeline:
        """Find out what the tracked cells did: phases, divisions, durations, shares, and what differs by condition.

        Cells are classified along their tracks where two classes are calibrated, else frame by frame. The tables are
        kept in the study for the Timeline panel and the report, in place of earlier ones.

        Parameters
        ----------
        scheme : int or str
            The scheme, 1 to 4, or the name of a classifier.
        conditions : path or DataFrame, optional
            A table with the columns ``movie`` (the name of a crop set), ``condition`` and ``replicate``. The first
            condition is the one that the others are compared with.
        out : path, optional
            A folder for the tables (CSV) and figures (PNG).
        loss : {"hinge", "mse"}
            Of scheme 4's laws.
        config : TimelineConfig, optional
            Settings; the defaults where it is left out.
        monitor : Monitor
            Progress, warnings and cancellation.
        **settings
            Settings of :class:`morpholaw.TimelineConfig`, among them ``frame_interval`` (seconds; by default what the
            movies' files say) and ``mitotic`` (the classes that are stages of mitosis).

        Returns
        -------
        Timeline
            Tables ``phases``, ``events``, ``shares``, ``durations`` and ``comparisons``; see
            :class:`morpholaw.evaluation.timeline.Timeline`.

        Raises
        ------
        InputError
            When there is no such classifier, no tracked cell, or the table of conditions is wrong.
        """
        from morpholaw.study import timeline_files, timeline_step

        config = _settings(TimelineConfig, config, settings)
        timeline_step.tracked_sets(self)
        along = timeline_step.wants_tracks(self, _name(scheme, loss))
        table = self.classify(scheme, loss=loss, along_tracks=along, monitor=monitor)
        timeline = timeline_step.timeline(self, table, conditions, config, monitor)
        with self.writing():
            timelines.save(self, timeline, _name(scheme, loss), encoders.data_fingerprint(self))
        if out is not None:
            timeline_files.write_timeline(timeline, out)
        return timeline

    @shows_progress
    def compare(self, monitor: Monitor = SILENT) -> pd.DataFrame:
        """Count how often the classifiers assign a cell to the same class.

        Each pair is compared on the cells that neither was trained on.

        Parameters
        ----------
        monitor : Monitor
            Progress and cancellation.

        Returns
        -------
        DataFrame
            One row per classifier: ``classifier``, its name, then one column of shares per classifier, NaN where two
            tell other classes apart. Empty after a stop.

        Raises
        ------
        InputError
            When a classifier's files are damaged.
        """
        from morpholaw.study.compare_step import compare

        return compare(self, monitor)

    @shows_progress
    def attack(
        self,
        config: AttackConfig | None = None,
        *,
        schemes: Sequence[int] = (),
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> pd.DataFrame:
        """Measure accuracy under fast gradient sign attacks on held-out cells (paper, 6.5).

        Parameters
        ----------
        config : AttackConfig, optional
            Settings; the defaults where it is left out.
        schemes : sequence of int
            Schemes to attack one after another, on the same cells, in place of the one scheme of the settings.
        monitor : Monitor
            Progress and cancellation.
        **settings
            Settings of :class:`morpholaw.AttackConfig`, among them ``scheme`` (2), ``space`` ("image" or "latent"),
            ``eps`` (magnitudes, by default 0 to 0.25), ``keep`` (latents held fixed: "morphology" or names such as
            "z3,z17"), ``target`` ("label" or "call"), ``towards`` (a class to move towards instead) and ``name`` (a
            classifier by its name, in place of the scheme).

        Returns
        -------
        DataFrame
            One row per model and eps: scheme, loss, space, keep, model, eps, accuracy, random_signs (accuracy under
            random signs of the same size, the control), energy_inside and nucleus_area (of successful attacks on crops:
            the share of the gradient's energy inside the nucleus, and the nucleus' share of the crop), split; with
            ``towards`` also that class and ``success``, the
            share of the other classes' cells that are taken for it.

        Raises
        ------
        InputError
            When a scheme was not trained, has no latent space, or the schemes have no held-out cell in common.
        """
        from morpholaw.study import attack_step

        config = _settings(AttackConfig, config, settings)
        return attack_step.attack_schemes(self, schemes or (config.scheme,), config, monitor)

    @shows_progress
    def attack_pairs(
        self,
        config: AttackConfig | None = None,
        *,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> pd.DataFrame:
        """Measure for each pair of classes how often an attack makes cells of one be taken for the other.

        Parameters
        ----------
        config : AttackConfig, optional
            Settings; the defaults where it is left out.
        monitor : Monitor
            Progress and cancellation.
        **settings
            Settings of :class:`morpholaw.AttackConfig`, as for :meth:`attack`; ``towards`` and ``target`` do not apply.

        Returns
        -------
        DataFrame
            One row per eps, true class and class that is attacked towards: classifier, space, keep, eps, class,
            towards, cells; success, the mean share over the models, and deviation, its standard deviation;
            random_signs, the share under random signs of the same size; split.

        Raises
        ------
        InputError
            When the classifier was not trained, has no latent space, or its held-out cells are not there any more.
        """
        from morpholaw.study import attack_step

        return attack_step.pairs(self, _settings(AttackConfig, config, settings), monitor)

    @shows_progress
    def cross_validate(
        self,
        scheme: int,
        config: ClassifierConfig | None = None,
        *,
        folds: int = 5,
        repeats: int = 1,
        design: Design | None = None,
        law: LawConfig | None = None,
        out: Path | str | None = None,
        monitor: Monitor = SILENT,
        **settings: Any,
    ) -> pd.DataFrame:
        """Test a scheme and the baselines on all labelled cells, by models that were trained without their groups.

        Models are trained anew in each fold and thrown away; those of the study stay as they are. The encoder is that
        of the study: it has seen no label, but it may have seen the tested crops.

        Parameters
        ----------
        scheme : int
            1 to 4. Scheme 4 reads the latents that the fold's own scheme 3 kept.
        config : ClassifierConfig, optional
            Settings of schemes 1 to 3; the defaults where it is left out.
        folds, repeats : int
            Folds, and how often the groups are dealt anew.
        design : Design, optional
            In place of ``folds`` and ``repeats``, a :class:`morpholaw.evaluation.cross_validation.Design`, which also
            has ``trials`` (a search for scheme 3's settings within each fold), ``shuffled`` (labels that mean nothing,
            as a control) and ``prevalence``.
        law : LawConfig, optional
            Settings of scheme 4; by default as many laws as models.
        out : path, optional
            CSV file for the table of folds; by default ``cross_validation/scheme3.csv`` in the study, named after the
            scheme, what it reads, and the design. The accuracy of each group is written beside it.
        monitor : Monitor
            Progress and cancellation; after a stop the complete folds are written.
        **settings
            Settings of :class:`morpholaw.ClassifierConfig`.

        Returns
        -------
        DataFrame
            One row per classifier and fold, and one of all folds (``fold`` is "all"): classifier, repeat, fold, models,
            training_cells, test_cells, test_groups, accuracy, balanced_accuracy, low and high (95 % interval of the
            balanced accuracy over groups), prevalence, precision, precision_low and precision_high (of the second class
            at this prevalence). The baselines stand below the scheme.

        Raises
        ------
        InputError
            When a class has fewer groups than folds, the encoder is missing or has learnt from labels of these cells,
            or a setting is wrong.
        InterruptedError
            When it was stopped before a fold was complete.
        """
        from morpholaw.cells.files import check_place
        from morpholaw.evaluation.cross_validation import Design
        from morpholaw.study import cross_validation_step

        config = _settings(ClassifierConfig, config, settings)
        design = design or Design(folds, repeats)
        law = law or LawConfig.from_values(
            {
                "preset": settings.get("preset"),
                "count": config.models,
                "seed": config.seed,
                "inputs": config.inputs,
                "shapes": config.shapes,
            }
        )
        if scheme not in (1, 2, 3, 4):
            raise InputError(f"There is no scheme {scheme}; expected 1 to 4.")
        if out is not None:
            check_place(out)
        tell_condition_notes(self, monitor)
        result = cross_validation_step.cross_validate(self, scheme, config, law, design, monitor)
        with self.writing():
            where = None if out is None else Path(out)
            name = cross_validation_step.table_name(scheme, law, config, design)
            return cross_validation_step.keep(self, result, name, where)

    @shows_progress
    def interventions(
        self,
        schemes: Sequence[int | str] = (),
        *,
        loss: Loss = "hinge",
        cells: int = 1000,
        seed: int = 0,
        monitor: Monitor = SILENT,
    ) -> pd.DataFrame:
        """Measure what other surroundings, shifts and orientations do to the predicted classes of held-out cells.

        Parameters
        ----------
        schemes : sequence of int or str
            Schemes or names of classifiers; by default all classifiers of the study. Of laws the first is measured,
            which is the one that is applied.
        loss : {"hinge", "mse"}
            Of scheme 4's laws, where it is given by its number.
        cells : int
            Held-out cells to measure on, at most; as many of each class where there are enough.
        seed : int
            Seed of the choice of cells and of their surroundings.
        monitor : Monitor
            Progress and cancellation.

        Returns
        -------
        DataFrame
            One row per classifier and intervention (:data:`morpholaw.interpretation.interventions.NAMES`): classifier,
            intervention, meaning; balanced_accuracy and flips, the share of predicted classes that change, each with
            the ends of its 95 % interval over groups (``_low``, ``_high``); cells, groups, split.

        Raises
        ------
        InputError
            When a scheme was not trained, or has too few held-out cells.
        """
        from morpholaw.study import intervention_step

        names = [_name(scheme, loss) for scheme in schemes]
        return intervention_step.intervene(self, names, cells, seed, monitor)

    def table1(self) -> pd.DataFrame:
        """Return the paper's Table 1 for this study.

        Returns
        -------
        DataFrame
            One row per classifier, with the paper's own numbers beside it.

        Raises
        ------
        InputError
            When a classifier's files are damaged.
        """
        return table1(self)

    def law_card(self, out: Path | str, law: int = 0, loss: Loss = "hinge", name: str | None = None) -> Path:
        """Write everything that is known about one law as HTML, with a PDF and Markdown beside it.

        Parameters
        ----------
        out : path
            The HTML file.
        law : int
            Its place in :meth:`laws`; 0 is the best on the training cells.
        loss : {"hinge", "mse"}
            The loss that it was found with.
        name : str, optional
            The laws by their name in the study, in place of their loss.

        Returns
        -------
        Path
            The HTML file.

        Raises
        ------
        InputError
            When there is no such law, or a file cannot be written.
        """
        from morpholaw.report import law_card

        return law_card(self, name or name_of(4, loss), law, out)

    @shows_progress
    def export(
        self,
        kind: Format,
        out: Path | str,
        *,
        monitor: Monitor = SILENT,
        **wanted: Any,
    ) -> Path:
        """Write results for other programs.

        Parameters
        ----------
        kind : {"zoo", "law", "csv", "trackmate", "btrack", "geff", "anndata"}
            The format.
        out : path
            The file; a folder for GEFF. It is there whole or not at all.
        monitor : Monitor
            Progress and cancellation.
        **wanted
            Fields of :class:`morpholaw.study.export_step.Wanted`: ``scheme``, ``loss``, ``law``, ``crops``,
            ``tracks``, ``along_tracks``, ``author`` and ``licence``.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        InputError
            When the study lacks what is to be exported, or the format needs something more.
        InterruptedError
            When it was stopped; nothing was written.
        """
        from morpholaw.study import export_step

        return export_step.export(self, kind, out, export_step.Wanted(**wanted), monitor)

    @shows_progress
    def report(self, out: Path | str, monitor: Monitor = SILENT) -> Path:
        """Write a self-contained HTML report.

        Parameters
        ----------
        out : path
            The HTML file.
        monitor : Monitor
            Progress.

        Returns
        -------
        Path
            The HTML file.

        Raises
        ------
        InputError, NoSpaceError
            When the file cannot be written.
        """
        from morpholaw.report import write_report

        tell_changes(self, classifiers.names(self), monitor)
        return write_report(self, Path(out), monitor)


def _of_classes(classifier: Classifier, config: ClassifierConfig | None) -> ClassifierConfig:
    """Return the settings of a split, those given or the defaults, for the classes of a classifier."""
    return ClassifierConfig.from_values(
        {**(config.model_dump() if config else {}), "classes": classifier.classes}
    )


def _name(scheme: int | str, loss: Loss) -> str:
    """Return the name of a classifier, given by itself or by its scheme."""
    return scheme if isinstance(scheme, str) else name_of(scheme, loss)


def _settings(kind: type[Config], config: Config | None, settings: dict[str, Any]) -> Config:
    """Return a configuration with some settings changed; the default one where there is none."""
    if config is None:
        return kind.from_values(settings)
    return kind.from_values({**config.model_dump(exclude_unset=True), **settings}) if settings else config
