"""Methods of a study for its classifiers: split cells, train, tune, open, add and evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.config import (
    ClassifierConfig,
    LawConfig,
    TuneConfig,
)
from morpholaw.display import Loss
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers
from morpholaw.store.baseline_record import keep_baselines
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.condition_record import tell_condition_notes
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.familiarity_record import keep_familiarity
from morpholaw.store.labelled_cells import Labelled, labelled_cells
from morpholaw.store.labelled_cells import held_out as cells_held_out
from morpholaw.store.tuned_record import TunedRecord

if TYPE_CHECKING:
    from morpholaw.models.classifier import Classifier
    from morpholaw.study.study import Study


def split(study: Study, config: ClassifierConfig | None = None, **settings: Any) -> Labelled:
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
    return labelled_cells(study, ClassifierConfig.of(config, settings))


def held_out(study: Study, name: str) -> tuple[np.ndarray, np.ndarray]:
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
    return cells_held_out(study, name)


@shows_progress
def train_classifier(
    study: Study,
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

    config = ClassifierConfig.of(config, settings)
    tell_condition_notes(study, monitor)
    with study.writing():
        if scheme == 4:
            count = {"count": config.models} if "models" in config.model_fields_set else {}
            preset = {"preset": settings.get("preset")}
            law = LawConfig.from_values(
                {**preset, "seed": config.seed, "inputs": config.inputs, "shapes": config.shapes, **count}
            )
            record = law_step.discover(study, law, config, monitor, replace, name)
        else:
            record = classifier_step.train(study, scheme, config, monitor, replace, name)
        if record is not None:
            keep_baselines(study, labelled_cells(study, record.config))
            keep_familiarity(study, record)
        return record


@shows_progress
def tune(
    study: Study,
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

    with study.writing():
        return tune_step.tune(study, TuneConfig.of(config, settings), monitor)


def classifier(study: Study, scheme: int | str, loss: Loss = "hinge") -> Classifier:
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
    return classifiers.load(study, name_of(scheme, loss))


def add_classifier(
    study: Study,
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
    classifiers.check_replaceable(study, name, config.classes, replace)
    with study.writing():
        return evaluation_step.keep(study, classifier, name, labelled_cells(study, config), config)


def evaluate(study: Study, classifier: Classifier, config: ClassifierConfig | None = None) -> Evaluation:
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

    return evaluation_step.evaluate(study, classifier, labelled_cells(study, _of_classes(classifier, config)))


def _of_classes(classifier: Classifier, config: ClassifierConfig | None) -> ClassifierConfig:
    """Return the settings of a split, those given or the defaults, for the classes of a classifier."""
    return ClassifierConfig.from_values(
        {**(config.model_dump() if config else {}), "classes": classifier.classes}
    )
