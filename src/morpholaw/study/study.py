"""A study: one folder that holds one investigation. Widgets, Python and the shell call the same methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.store import encoders as kept_encoders
from morpholaw.store.labelled_cells import all_labels
from morpholaw.store.study_folder import StudyFolder
from morpholaw.store.study_record import DEFAULT_CLASSES
from morpholaw.study.methods import (
    class_names,
    classifiers,
    crop_sets,
    encoders,
    evaluation,
    law_reading,
    law_search,
    results,
    scores,
)

if TYPE_CHECKING:
    from morpholaw.models.vae import BetaTCVAE


class Study(StudyFolder):
    """A folder with the crops, models and results of one investigation, and the steps that produce them.

    Steps that write to the study hold its lock while they run, and either write their whole result or nothing. Settings
    are passed as a configuration object, as keyword arguments, or both; keyword arguments take precedence. The keyword
    ``preset="paper"`` replaces the defaults by the paper's settings. A ``monitor`` receives progress events and can
    cancel a step (:mod:`morpholaw.events`).

    Parameters
    ----------
    path : path
        Folder of an existing study. Use :meth:`create` to make a new one.

    Attributes
    ----------
    progress : bool
        Whether steps called without a ``monitor`` display their progress: a bar in a terminal, otherwise a line every
        few seconds. The default is True.

    Raises
    ------
    InputError
        If the folder is not a study, or was written by a newer version of Morpholaw.

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
        """Create a study, and cut crops if a movie and its tracks are given.

        Parameters
        ----------
        path : path
            A new or empty folder.
        movie, tracks : path, array or table, optional
            A movie and its tracks, as for :meth:`crop`.
        classes : sequence of str
            Names of the initial classes.
        **crop
            Further arguments of :meth:`crop`, such as ``labels``, and settings of :class:`morpholaw.CropConfig`.

        Returns
        -------
        Study
            The new study.

        Raises
        ------
        InputError
            If ``path`` is not empty, or crops cannot be cut from the movie. The folder is then removed.
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
        """Open the study at ``path``.

        Parameters
        ----------
        path : path
            Folder of the study.

        Raises
        ------
        InputError
            If the folder is not a study, or was written by a newer version of Morpholaw.
        """
        return cls(path)

    @classmethod
    def open_or_create(cls, path: Path | str) -> Study:
        """Open the study at ``path``, or create it if there is none.

        Parameters
        ----------
        path : path
            Folder of the study.
        """
        return cls(path) if (Path(path) / "study.json").exists() else cls.create(path)

    @classmethod
    @contextmanager
    def opened_or_new(cls, path: Path | str) -> Iterator[Study]:
        """Open the study at ``path``, or create it for a ``with`` block; remove a new study if the block fails.

        Parameters
        ----------
        path : path
            Folder of the study.
        """
        if (Path(path) / "study.json").exists():
            yield cls(path)
            return
        from morpholaw.study.crop_step import removed_on_failure

        with removed_on_failure(Path(path)):
            yield cls.create(path)

    @property
    def labels(self) -> np.ndarray:
        """Class of every crop, str (n,); "" for crops without a label."""
        return all_labels(self)

    @property
    def encoder(self) -> BetaTCVAE:
        """The trained beta-TCVAE, in evaluation mode; raises InputError if none has been trained."""
        return kept_encoders.of_study(self)

    # The methods and their docstrings are in methods/. They import the modules that do the work, and with them torch,
    # only when they are called, so that opening a study is fast.

    crop = crop_sets.crop
    import_crops = crop_sets.import_crops
    rename_set = crop_sets.rename_set
    delete_set = crop_sets.delete_set
    condition_study = crop_sets.condition_study
    shapes = crop_sets.shapes

    rename_classes = class_names.rename_classes
    arrange_classes = class_names.arrange_classes
    colour_classes = class_names.colour_classes
    remove_class = class_names.remove_class
    set_stages = class_names.set_stages

    train_encoder = encoders.train_encoder
    load_encoder = encoders.load_encoder
    latents = encoders.latents
    latent_summary = encoders.latent_summary

    split = classifiers.split
    held_out = classifiers.held_out
    train_classifier = classifiers.train_classifier
    tune = classifiers.tune
    classifier = classifiers.classifier
    add_classifier = classifiers.add_classifier
    evaluate = classifiers.evaluate

    discover_law = law_search.discover_law
    laws = law_search.laws
    class_laws = law_search.class_laws
    improve_law = law_search.improve_law
    law_stability = law_search.law_stability
    apply_law = law_search.apply_law
    test_law = law_search.test_law

    law_sentence = law_reading.law_sentence
    explain_cell = law_reading.explain_cell
    explain_cells = law_reading.explain_cells
    law_sheet = law_reading.law_sheet
    law_card = law_reading.law_card

    classify = scores.classify
    adapt = scores.adapt
    undo_adaptation = scores.undo_adaptation
    timeline = scores.timeline

    cross_validate = evaluation.cross_validate
    compare = evaluation.compare
    compare_pairs = evaluation.compare_pairs
    attack = evaluation.attack
    attack_pairs = evaluation.attack_pairs
    interventions = evaluation.interventions
    table1 = evaluation.table1

    export = results.export
    report = results.report
