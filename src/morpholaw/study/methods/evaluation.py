"""Methods of a study that evaluate and compare classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from morpholaw.config import AttackConfig, ClassifierConfig, LawConfig
from morpholaw.config.classifier import FOLDS
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store.classifier_record import name_of
from morpholaw.store.confounding import tell_confounding
from morpholaw.store.repeated_cells import tell_repeated_cells
from morpholaw.store.table1 import table1 as table_of_study

if TYPE_CHECKING:
    from morpholaw.evaluation.cross_validation import Design
    from morpholaw.study.study import Study


@shows_progress
def cross_validate(
    study: Study,
    scheme: int,
    config: ClassifierConfig | None = None,
    *,
    folds: int = FOLDS,
    repeats: int = 1,
    design: Design | None = None,
    law: LawConfig | None = None,
    out: Path | str | None = None,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> pd.DataFrame:
    """Cross-validate a scheme and the baselines, with whole groups held out.

    New models are trained in each fold and discarded afterwards; the classifiers of the study do not change. All folds
    use the study's encoder, which has seen no labels but may have been trained on crops of the test groups.

    Parameters
    ----------
    scheme : {1, 2, 3, 4}
        Scheme to validate. Scheme 4 uses the latents that scheme 3 keeps in the same fold.
    config : ClassifierConfig, optional
        Settings of schemes 1 to 3. Keyword arguments take precedence.
    folds : int
        Number of folds.
    repeats : int
        Number of repetitions, each with a different assignment of groups to folds.
    design : Design, optional
        A :class:`morpholaw.evaluation.cross_validation.Design`, which replaces ``folds`` and ``repeats``. It also has
        ``trials`` (tuning of scheme 3 within each fold), ``shuffled`` (shuffled labels, as a control) and
        ``prevalence``.
    law : LawConfig, optional
        Settings of scheme 4. The default searches for as many laws as there are models.
    out : path, optional
        CSV file for the results per fold. The default is a file in the study's folder ``cross_validation``, named
        after the scheme, its inputs and the design, e.g. ``scheme3.csv``. The accuracy per group and the confusion
        matrix are written next to it, in the study also the settings (``scheme3.json``). Results with other classes or
        settings get a number, e.g. ``scheme3-2.csv``; those with the same settings are replaced.
    monitor : Monitor
        Receives progress and can cancel. After a cancellation the completed folds are written, in the study as e.g.
        ``scheme3-incomplete.csv``. The same call continues after them, provided that cells, labels and encoder are the
        same; the complete results then replace them.
    **settings
        Settings of :class:`morpholaw.ClassifierConfig`, as for :meth:`train_classifier`.

    Returns
    -------
    DataFrame
        One row per classifier and fold, and one for all folds (``fold`` is "all"). The columns are classifier,
        repeat, fold, models, training_cells, test_cells, test_groups, accuracy, balanced_accuracy, its 95 % confidence
        interval over groups and folds (low, high), prevalence, and the precision for the second class at this
        prevalence (precision, precision_low, precision_high). Accuracies are means over the models. Rows such as
        "scheme1-median" refer to the median score of the models, which is used for classification. The baselines
        follow the scheme.

    Raises
    ------
    InputError
        If a class has fewer groups than there are folds, the encoder is missing or was trained with labels of these
        cells, or a setting is invalid.
    InterruptedError
        If the step was cancelled before the first fold was complete.
    """
    from morpholaw.cells.files import check_place
    from morpholaw.evaluation.cross_validation import Design
    from morpholaw.study import cross_validation_step

    config = ClassifierConfig.of(config, settings)
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
    tell_confounding(study, config.classes, monitor)
    tell_repeated_cells(study, config.classes, monitor)
    file = None if out is None else Path(out)
    return cross_validation_step.cross_validate(study, scheme, config, law, design, file, monitor)


@shows_progress
def compare(study: Study, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Compute the agreement of each pair of classifiers, baselines included.

    The agreement is the share of cells that both assign to the same class, among cells that neither was trained on.

    Parameters
    ----------
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    DataFrame
        One row per classifier: its name (``classifier``), then one column per classifier with the share of agreement,
        which is NaN if the two distinguish different classes. The baselines (shapes-logistic and shapes-tree) come
        last; they are fitted to the training set that most classifiers share. Empty if cancelled.

    Raises
    ------
    InputError
        If the files of a classifier are damaged.
    """
    from morpholaw.study.compare_step import compare

    return compare(study, monitor)


@shows_progress
def compare_pairs(study: Study, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Test for each pair of classifiers, baselines included, whether one is more accurate than the other.

    Both are compared on the same cells, among those that neither was trained on. The test flips the signs of the
    differences of groups (:func:`morpholaw.evaluation.paired.paired_difference`).

    Parameters
    ----------
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    DataFrame
        One row per pair that distinguishes the same classes: ``first``, ``second``, the number of ``cells`` and
        ``groups``, the number of cells that ``only_first`` and ``only_second`` classifies correctly, the ``difference``
        of the balanced accuracies (second minus first), and ``p``, corrected for the number of pairs (Holm). Empty if
        cancelled.

    Raises
    ------
    InputError
        If the files of a classifier are damaged.
    """
    from morpholaw.study.compare_step import compare_pairs

    return compare_pairs(study, monitor)


@shows_progress
def attack(
    study: Study,
    config: AttackConfig | None = None,
    *,
    schemes: Sequence[int] = (),
    monitor: Monitor = SILENT,
    **settings: Any,
) -> pd.DataFrame:
    """Measure accuracy on the test set under fast gradient sign attacks (FGSM; paper, section 6.5).

    An attack changes every pixel or latent of a cell by ``eps``, up or down, so as to increase the loss most. It shows
    what a classifier is sensitive to.

    Parameters
    ----------
    config : AttackConfig, optional
        Settings of the attack. Keyword arguments take precedence.
    schemes : sequence of int
        Schemes to attack on the same cells; replaces the setting ``scheme``.
    monitor : Monitor
        Receives progress and can cancel.
    **settings
        Settings of :class:`morpholaw.AttackConfig`, which lists all of them. The most important are

        - ``scheme`` (2) or ``name``: classifier to attack, by its scheme or its name;
        - ``space`` ("image"): whether pixels ("image") or latents ("latent") are perturbed;
        - ``eps``: magnitudes of the perturbation. The default is 0 to 0.25;
        - ``keep``: latents that are held fixed: "morphology", or names such as "z3,z17";
        - ``target`` ("label"): whether the attack moves away from the label or from the predicted class ("call");
        - ``towards``: class to move towards instead.

    Returns
    -------
    DataFrame
        One row per model and eps. The columns are scheme, loss, space, keep, model, eps, accuracy, random_signs
        (accuracy under random perturbations of the same size, as a control), energy_inside and nucleus_area (for
        successful attacks on images: the share of the gradient's energy inside the nucleus, and the share of the crop
        that the nucleus covers) and split. With ``towards`` there are two more: that class, and ``success``, the share
        of cells of other classes that are predicted to be of this class.

    Raises
    ------
    InputError
        If a scheme was not trained or reads no latents, or the schemes have no test cells in common.
    """
    from morpholaw.study import attack_step

    config = AttackConfig.of(config, settings)
    return attack_step.attack_schemes(study, schemes or (config.scheme,), config, monitor)


@shows_progress
def attack_pairs(
    study: Study,
    config: AttackConfig | None = None,
    *,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> pd.DataFrame:
    """Measure how often an attack turns cells of one class into another, for each pair of classes.

    Parameters
    ----------
    config : AttackConfig, optional
        Settings of the attack. Keyword arguments take precedence.
    monitor : Monitor
        Receives progress and can cancel.
    **settings
        Settings of :class:`morpholaw.AttackConfig`, as for :meth:`attack`. ``towards`` and ``target`` do not apply.

    Returns
    -------
    DataFrame
        One row per eps, true class and class that is attacked towards. The columns are classifier, space, keep, eps,
        class, towards, cells, success (share of cells predicted to be of the class ``towards``, mean over the models),
        deviation (its standard deviation), random_signs (the same share under random perturbations of the same size)
        and split.

    Raises
    ------
    InputError
        If the classifier was not trained or reads no latents, or its test set no longer exists.
    """
    from morpholaw.study import attack_step

    return attack_step.pairs(study, AttackConfig.of(config, settings), monitor)


@shows_progress
def interventions(
    study: Study,
    schemes: Sequence[int | str] | int | str = (),
    *,
    loss: Loss = "hinge",
    cells: int = 1000,
    seed: int = 0,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Measure how predicted classes change when the surroundings, position or orientation of test cells change.

    Parameters
    ----------
    schemes : int, str, or sequence of these
        Schemes or names of classifiers. The default is all classifiers of the study. Of several laws, the first is
        measured, which is the one that is applied.
    loss : {"hinge", "mse"}
        Loss of the laws, if scheme 4 is given by its number.
    cells : int
        Maximum number of test cells, balanced over the classes as far as possible.
    seed : int
        Seed of the choice of cells and of their new surroundings.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    DataFrame
        One row per classifier and intervention (:data:`morpholaw.interpretation.interventions.NAMES`). The columns are
        classifier, intervention, meaning, balanced_accuracy and flips (share of predicted classes that change), each
        with its 95 % confidence interval over groups (``_low``, ``_high``), most_changed (class whose cells change most
        often; "" if none stands out), most_changed_flips (share of its cells that change), cells, tracker_masks (number
        of cells whose mask is the tracker's; others are segmented in the crop), groups and split.

    Raises
    ------
    InputError
        If a scheme was not trained, or has too few test cells.
    """
    from morpholaw.study import intervention_step

    chosen = [schemes] if isinstance(schemes, int | str) else schemes
    names = [name_of(scheme, loss) for scheme in chosen]
    return intervention_step.intervene(study, names, cells, seed, monitor)


def table1(study: Study) -> pd.DataFrame:
    """Return Table 1 of the paper for the classifiers of this study.

    Returns
    -------
    DataFrame
        One row per classifier, with the numbers of the paper for comparison.

    Raises
    ------
    InputError
        If the files of a classifier are damaged.
    """
    return table_of_study(study)
