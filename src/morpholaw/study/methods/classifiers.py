"""Methods of a study that split its labelled cells, and train, tune, load and evaluate classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.config import ClassifierConfig, LawConfig, TuneConfig
from morpholaw.display import Loss
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers
from morpholaw.store.baseline_record import keep_baselines
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.confounding import tell_confounding
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.familiarity_record import keep_familiarity
from morpholaw.store.labelled_cells import Labelled, labelled_cells
from morpholaw.store.labelled_cells import held_out as cells_held_out
from morpholaw.store.repeated_cells import tell_repeated_cells
from morpholaw.store.tuned_record import TunedRecord

if TYPE_CHECKING:
    from morpholaw.models.classifier import Classifier
    from morpholaw.study.study import Study


def split(study: Study, config: ClassifierConfig | None = None, **settings: Any) -> Labelled:
    """Split the labelled cells into the training set and the test set that classifiers use.

    Cells of one group (a track, lineage, movie or replicate) are always in the same set.

    Parameters
    ----------
    config : ClassifierConfig, optional
        Settings. Keyword arguments take precedence.
    **settings
        These settings of :class:`morpholaw.ClassifierConfig` define the split:

        - ``classes``: classes to include, or "all". The default is interphase and metaphase if both are labelled,
          otherwise every labelled class;
        - ``test_fraction``: share of the cells in the test set. The default is 10 %, or 25 % if there are fewer than
          2000 cells;
        - ``split_seed`` (0): seed of the split.

    Returns
    -------
    Labelled
        ``train`` and ``test``, indices into :attr:`crops`, and ``train_targets`` and ``test_targets``, indices into
        its ``classes``.

    Raises
    ------
    InputError
        If a class has no cells, or too few groups to be in both sets.
    """
    return labelled_cells(study, ClassifierConfig.of(config, settings))


def held_out(study: Study, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled cells that a classifier was not trained on.

    Parameters
    ----------
    name : str
        Name of the classifier, e.g. "scheme2" or "scheme4-hinge".

    Returns
    -------
    cells : ndarray, int64 (n,)
        Indices into :attr:`crops`.
    targets : ndarray, int64 (n,)
        Class numbers, 0 to C - 1. With two classes, 1 is the class of f >= 0.

    Raises
    ------
    InputError
        If there is no such classifier, or the labels have changed since it was trained.
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
    """Train a classifier on the labelled cells and evaluate it on held-out groups (paper, section 6.2).

    A classifier is an ensemble: several models of one scheme, trained from different seeds. The classifier's score is
    the median of theirs. Schemes 2 to 4 need a trained encoder unless ``inputs`` is "shapes".

    Parameters
    ----------
    scheme : {1, 2, 3, 4}
        1: a CNN on the crops; 2: a dense network on the latents; 3: a sparse network on the latents; 4: a law, which
        is searched for with the hinge loss. :meth:`discover_law` offers all settings of that search.
    config : ClassifierConfig, optional
        Settings of the training. Keyword arguments take precedence.
    name : str, optional
        Name of the classifier in the study: letters, digits, "-", "_" and ".". The default follows the scheme, e.g.
        "scheme2". A study can hold any number of classifiers.
    replace : bool
        Replace a classifier of the same name that distinguishes other classes. A classifier of the same classes is
        always replaced.
    monitor : Monitor
        Receives progress and losses, and can cancel. A cancelled training leaves the earlier classifier unchanged and
        keeps a checkpoint, from which the next call with the same settings continues.
    **settings
        Settings of :class:`morpholaw.ClassifierConfig`, which lists all of them. The most important are

        - ``classes``: two or more classes to distinguish, or "all". The default is interphase and metaphase if both
          are labelled, otherwise every labelled class;
        - ``inputs`` ("latents"): what schemes 2 to 4 read: "latents", measured "shapes", or "both";
        - ``models`` (10): number of models;
        - ``epochs`` (100; 16 for scheme 1) and ``learning_rate`` (1e-3);
        - ``test_fraction`` and ``split_seed`` (0), as for :meth:`split`;
        - ``sparsity`` (0.951, or as tuned): share of scheme 3's weights that are set to zero;
        - ``device`` ("auto") and ``seed`` (0).

    Returns
    -------
    ClassifierRecord or None
        Settings, evaluation and provenance. None if the training was cancelled.

    Raises
    ------
    InputError
        If labels or the encoder are missing, a setting is invalid, a classifier of other classes has this name, or the
        loss becomes infinite or NaN.
    StudyLockedError, StudyGoneError, NoSpaceError
        If the study cannot be written to.

    Examples
    --------
    >>> record = study.train_classifier(3, classes=("interphase", "metaphase"))  # doctest: +SKIP
    >>> record.evaluation.ensemble_accuracy  # doctest: +SKIP
    """
    from morpholaw.study import classifier_step, law_step

    config = ClassifierConfig.of(config, settings)
    tell_confounding(study, config.classes, monitor)
    tell_repeated_cells(study, config.classes, monitor)
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
    """Tune the hyperparameters of scheme 3 with Optuna (paper, B.3.1).

    :meth:`train_classifier` uses the best values from then on. The test set is not used.

    Parameters
    ----------
    config : TuneConfig, optional
        Settings of the search. Keyword arguments take precedence.
    monitor : Monitor
        Receives progress and can cancel. A cancelled search continues when the method is called again.
    **settings
        Settings of :class:`morpholaw.TuneConfig`, which lists all of them. The most important are

        - ``trials`` (200): number of trials;
        - ``runs`` (5): models trained per trial;
        - ``storage``: URL of an Optuna storage, to share the search between processes;
        - ``classes``, ``test_fraction`` and ``split_seed``, as for :meth:`split`.

    Returns
    -------
    TunedRecord
        The best sparsity, update interval and update fraction.

    Raises
    ------
    InputError
        If labels or the encoder are missing, a setting is invalid, or the storage cannot be used.
    """
    from morpholaw.study import tune_step

    with study.writing():
        return tune_step.tune(study, TuneConfig.of(config, settings), monitor)


def classifier(study: Study, scheme: int | str, loss: Loss = "hinge") -> Classifier:
    """Load a classifier.

    Parameters
    ----------
    scheme : int or str
        Scheme, 1 to 4, or name of a classifier, e.g. "scheme4-mse".
    loss : {"hinge", "mse"}
        Loss of the laws, if ``scheme`` is 4.

    Returns
    -------
    Classifier
        The models of the classifier, in evaluation mode.

    Raises
    ------
    InputError
        If there is no such classifier, or its files are damaged.
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
    """Evaluate a classifier that was built in Python, and store it in the study.

    Parameters
    ----------
    classifier : Classifier
        The classifier. For the evaluation to be valid, it must not have been trained on the test set of :meth:`split`.
    name : str
        Name of the classifier in the study: letters, digits, "-", "_" and ".".
    config : ClassifierConfig, optional
        Settings of the split; the classes are those of the classifier.
    replace : bool
        Replace a classifier of the same name that distinguishes other classes.

    Returns
    -------
    ClassifierRecord
        Evaluation and provenance of the classifier.

    Raises
    ------
    InputError
        If the name is not valid, or a class has no cells in the test set.

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
    """Evaluate a classifier on the test set, without storing it.

    Parameters
    ----------
    classifier : Classifier
        The classifier, e.g. one built in Python.
    config : ClassifierConfig, optional
        Settings of the split; the classes are those of the classifier.

    Returns
    -------
    Evaluation
        Accuracy of each model and of their median score, confusion matrix and calibration.

    Raises
    ------
    InputError
        If a class has no cells in the test set.
    """
    from morpholaw.study import evaluation_step

    return evaluation_step.evaluate(study, classifier, labelled_cells(study, _of_classes(classifier, config)))


def _of_classes(classifier: Classifier, config: ClassifierConfig | None) -> ClassifierConfig:
    """Return ``config``, or the defaults, with the classes of ``classifier``."""
    return ClassifierConfig.from_values(
        {**(config.model_dump() if config else {}), "classes": classifier.classes}
    )
