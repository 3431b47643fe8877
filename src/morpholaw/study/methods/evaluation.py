"""Methods of a study that measure classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from morpholaw.config import (
    AttackConfig,
    ClassifierConfig,
    LawConfig,
)
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store.classifier_record import name_of
from morpholaw.store.condition_record import tell_condition_notes
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
        at this prevalence). Accuracies are means over the models; "scheme1-median" and the like are of the models'
        median score, by which cells are classified. The baselines stand below the scheme.

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
    tell_condition_notes(study, monitor)
    result = cross_validation_step.cross_validate(study, scheme, config, law, design, monitor)
    with study.writing():
        where = None if out is None else Path(out)
        name = cross_validation_step.table_name(scheme, law, config, design)
        return cross_validation_step.keep(study, result, name, where)


@shows_progress
def compare(study: Study, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Count how often the classifiers assign a cell to the same class, beside regression and tree on shapes.

    Each pair is compared on the cells that neither was trained on.

    Parameters
    ----------
    monitor : Monitor
        Progress and cancellation.

    Returns
    -------
    DataFrame
        One row per classifier: ``classifier``, its name, then one column of shares per classifier, NaN where two
        tell other classes apart. The baselines, shapes-logistic and shapes-tree, learn from the training cells of the
        split that most classifiers have, and stand last. Empty after a stop.

    Raises
    ------
    InputError
        When a classifier's files are damaged.
    """
    from morpholaw.study.compare_step import compare

    return compare(study, monitor)


@shows_progress
def attack(
    study: Study,
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

    return attack_step.pairs(study, AttackConfig.of(config, settings), monitor)


@shows_progress
def interventions(
    study: Study,
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
        the ends of its 95 % interval over groups (``_low``, ``_high``); cells, tracker_masks (cells whose own pixels
        are the tracker's; those of others are segmented in the crop), groups, split.

    Raises
    ------
    InputError
        When a scheme was not trained, or has too few held-out cells.
    """
    from morpholaw.study import intervention_step

    names = [name_of(scheme, loss) for scheme in schemes]
    return intervention_step.intervene(study, names, cells, seed, monitor)


def table1(study: Study) -> pd.DataFrame:
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
    return table_of_study(study)
