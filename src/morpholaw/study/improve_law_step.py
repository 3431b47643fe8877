"""Search on from one law of a study, and how stable a law is over resampled groups of cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.law_stability import InputStability, LawStability
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.events import SILENT, Message, Monitor, Progress
from morpholaw.interpretation.law_sentence import QUANTILES
from morpholaw.interpretation.monotone import directions
from morpholaw.models.classifier import Classifier
from morpholaw.models.expressions import Call, Constant, Expression, Variable, parse, skeleton
from morpholaw.models.features import FeatureTable, ModelColumns
from morpholaw.models.law import Law
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import held_out, labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.evaluation_step import keep
from morpholaw.study.law_step import TrainingViews, outputs_of_scheme_3, training_views
from morpholaw.training.class_balanced_rows import class_balanced_rows
from morpholaw.training.laws import discover_laws, improve_law

RESAMPLES = 20
EVALUATIONS = 30_000
"""Expressions tried in the search on each resample, by default."""


def improve(
    folder: StudyFolder,
    name: str,
    k: int,
    expression: str | None = None,
    evaluations: int | None = None,
    monitor: Monitor = SILENT,
) -> ClassifierRecord:
    """Search on from law ``k`` or from a formula over inputs in units, and put a better law first.

    The record is unchanged where no better law was found, which a message says.

    Raises
    ------
    InputError
        If there is no such law, or the training cells are no longer there.
    """
    record, config, views = training_of(folder, name)
    _check(record, k)
    features = views.features
    if expression is None:
        start = over_columns(record.laws[k].expression, features.names)
    else:
        start = standardised(parse(expression, features.names), views.columns)
    config = config.model_copy(update={"count": 2} | ({"evaluations": evaluations} if evaluations else {}))
    views = views.drawn(config)
    better = improve_law(
        views.features,
        views.targets,
        start,
        config,
        outputs=outputs_of_scheme_3(folder, views, config, record.classes) if config.loss == "mse" else None,
        cells=views.cells,
        monitor=monitor,
    )
    if better is None:
        monitor.emit(Message("No better law was found: the laws stay as they are."))
        return record
    laws = [better, *(law for law in record.laws if law.text() != better.text())]
    classifier = Classifier.with_laws(views.encoder, laws, record.classes, views.columns)
    monitor.emit(Message(f"A better law was found, which is the first now: {better.rounded()}"))
    cells = labelled_cells(folder, record.config)
    return keep(folder, classifier, name, cells, record.config, record.law_config)


def stability(
    folder: StudyFolder,
    name: str,
    k: int,
    resamples: int = RESAMPLES,
    evaluations: int = EVALUATIONS,
    seed: int = 0,
    monitor: Monitor = SILENT,
) -> LawStability:
    """Search anew on resampled groups of training cells, and compare what is found with law ``k``.

    Raises
    ------
    InputError
        As for `improve`.
    """
    record, config, views = training_of(folder, name)
    _check(record, k)
    law = Law(over_columns(record.laws[k].expression, views.features.names), views.features.names)
    groups = folder.crops.cells["group"].to_numpy(str)[views.cells]
    outputs = outputs_of_scheme_3(folder, views, config, record.classes) if config.loss == "mse" else None
    expected = _directions(law, views.features)
    found: list[Law] = []
    accuracies: list[float] = []
    random = np.random.default_rng(seed)
    names = np.unique(groups)
    config = config.model_copy(
        update={"count": 1, "evaluations": evaluations, "engine": "embedded", "processes": 1}
    )
    for draw in range(resamples):
        monitor.emit(Progress(draw, resamples, "resample"))
        if monitor.should_stop():
            break
        drawn = random.choice(names, len(names))
        rows = np.concatenate([np.flatnonzero(groups == one) for one in drawn])
        of_class = [rows[views.targets[rows] == number] for number in (0, 1)]
        if not all(map(len, of_class)):
            continue
        chosen = class_balanced_rows(of_class, (0.5, 0.5), (seed, draw))
        laws = discover_laws(
            views.features.rows(chosen),
            views.targets[chosen],
            config.model_copy(update={"seed": seed + draw}),
            outputs=None if outputs is None else outputs[chosen],
            cells=views.cells[chosen],
            monitor=Monitor(should_stop=monitor.should_stop),
        )
        if not laws:
            continue
        found.append(laws[0])
        left_out = ~np.isin(groups, drawn)
        if len(np.unique(views.targets[left_out])) == 2:
            predicted = laws[0].predict(views.features.rows(left_out))
            accuracies.append(balanced_accuracy(views.targets[left_out], predicted))
    used = law.expression.variables()
    read = [one.expression.variables() for one in found]
    each = [_directions(one, views.features) for one in found]
    inputs = tuple(
        InputStability(
            one,
            sum(one in names for names in read),
            sum(names.get(one) == expected[one] for names in each) if expected[one] else None,
        )
        for one in used
    )
    others = {
        one: count
        for one in views.features.names
        if one not in used and (count := sum(one in names for names in read))
    }
    same = sum(skeleton(one.expression) == skeleton(law.expression) for one in found)
    return LawStability(len(found), evaluations, inputs, others, same, tuple(accuracies))


def _check(record: ClassifierRecord, k: int) -> None:
    if not 0 <= k < len(record.laws):
        raise InputError(f"There is no law {k + 1}; there are laws 1 to {len(record.laws)}.")


def training_of(folder: StudyFolder, name: str) -> tuple[ClassifierRecord, LawConfig, TrainingViews]:
    """Return the record of some laws, the settings of their search, and what they were trained on."""
    record = classifiers.record(folder, name)
    if record.scheme != 4:
        raise InputError(f"{name} holds no laws; search for laws first.")
    if record.trained_elsewhere:
        raise InputError(f"{name} was trained on the cells of another study, which are not here.")
    held_out(folder, name)  # says so where the split cannot be made again
    config = record.law_config or LawConfig(inputs=record.inputs)
    read = record.laws[0].names if record.columns is None else record.columns.names
    latents = tuple(int(one[1:]) for one in read if one[:1] == "z" and one[1:].isdecimal())
    if latents:
        config = config.model_copy(update={"latents": latents})
    if record.columns is not None:
        shapes = tuple(one.name for one in record.columns.features if one.source == "shape")
        config = config.model_copy(update={"shapes": shapes})
    views = training_views(folder, labelled_cells(folder, record.config), config, record.config)
    return record, config, views


def over_columns(expression: Expression, names: tuple[str, ...]) -> Expression:
    """Return the expression over columns of other numbers."""
    return parse(expression.text(), names)


def standardised(node: Expression, columns: ModelColumns | None) -> Expression:
    """Return a formula over inputs in units as one over standardised columns."""
    if isinstance(node, Variable) and columns is not None:
        place = columns.names.index(node.name)
        centre, scale = columns.centre[place], columns.scale[place]
        if (centre, scale) == (0.0, 1.0):
            return node
        return Call("+", (Call("*", (Constant(scale), node)), Constant(centre)))
    if isinstance(node, Call):
        return replace(node, operands=tuple(standardised(one, columns) for one in node.operands))
    return node


def _directions(law: Law, features: FeatureTable) -> dict[str, int]:
    """Return which class each input speaks for over the range of the cells; 0 for either."""
    low, high = np.quantile(features.values, QUANTILES, axis=0)
    spread = np.where(high > low, high, low + 1e-6)
    ranges = {one: (float(a), float(b)) for one, a, b in zip(features.names, low, spread, strict=True)}
    used = law.expression.variables()
    return directions(law.expression, {one: ranges[one] for one in used}) if used else {}
