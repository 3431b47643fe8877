"""Search on for the law of one of several classes, and how stable the laws of all classes are."""

from __future__ import annotations

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.law_stability import ClassLawStability, InputStability, LawStability
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.events import SILENT, Message, Monitor, Progress
from morpholaw.interpretation.class_sentence import directions_against_all, input_ranges
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classifier import Classifier
from morpholaw.models.expressions import parse, skeleton
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.evaluation_step import keep
from morpholaw.study.improve_law_step import over_columns, standardised, training_of
from morpholaw.study.law_step import outputs_of_scheme_3
from morpholaw.training.class_law_rows import TrainingRows
from morpholaw.training.class_laws import discover_class_laws
from morpholaw.training.improved_class_law import improve_class_law


def improve_class(
    folder: StudyFolder,
    name: str,
    class_name: str,
    expression: str | None = None,
    evaluations: int | None = None,
    monitor: Monitor = SILENT,
) -> ClassifierRecord:
    """Search on from the law of a class, or from a formula over inputs in units, and keep better laws.

    The record is unchanged where none were found, which a message says.

    Raises
    ------
    InputError
        If there is no such class, or the training cells are no longer there.
    """
    record, config, views = training_of(folder, name)
    if class_name not in record.classes:
        raise InputError(
            f"There is no law of the class {class_name!r}; there are {', '.join(record.classes)}."
        )
    laws = _over(record.class_laws, views.features.names)
    if expression is None:
        start = laws.laws[class_name].expression
    else:
        start = standardised(parse(expression, views.features.names), views.columns)
    config = config.model_copy(update={"count": 2} | ({"evaluations": evaluations} if evaluations else {}))
    outputs = outputs_of_scheme_3(folder, views, config, record.classes) if config.loss == "mse" else None
    rows = TrainingRows(views.features, views.targets, len(record.classes), outputs, views.cells)
    better = improve_class_law(rows, laws, class_name, start, config, monitor)
    if better is None:
        monitor.emit(Message(f"No better law of {class_name} was found: the laws stay as they are."))
        return record
    classifier = Classifier.with_laws(
        views.encoder, list(better.laws.values()), record.classes, views.columns
    )
    monitor.emit(
        Message(
            f"A better law of {class_name} was found, to which the constants of the others were fitted: "
            f"{better.laws[class_name].rounded()}"
        )
    )
    cells = labelled_cells(folder, record.config)
    return keep(folder, classifier, name, cells, record.config, record.law_config)


def stability_of_classes(
    folder: StudyFolder,
    name: str,
    resamples: int,
    evaluations: int,
    seed: int = 0,
    monitor: Monitor = SILENT,
) -> ClassLawStability:
    """Search anew for the laws of all classes on resampled groups of training cells, and compare them.

    A resample without cells of one of the classes is left out.

    Raises
    ------
    InputError
        If the training cells are no longer there.
    """
    record, config, views = training_of(folder, name)
    laws = _over(record.class_laws, views.features.names)
    groups = folder.crops.cells["group"].to_numpy(str)[views.cells]
    outputs = outputs_of_scheme_3(folder, views, config, record.classes) if config.loss == "mse" else None
    config = config.model_copy(
        update={"count": 1, "evaluations": evaluations, "engine": "embedded", "processes": 1}
    )
    random, names = np.random.default_rng(seed), np.unique(groups)
    found: list[ClassLaws] = []
    accuracies: list[float] = []
    for draw in range(resamples):
        monitor.emit(Progress(draw, resamples, "resample"))
        if monitor.should_stop():
            break
        drawn = random.choice(names, len(names))
        rows = np.concatenate([np.flatnonzero(groups == one) for one in drawn])
        if len(np.unique(views.targets[rows])) < len(record.classes):
            continue
        resampled = discover_class_laws(
            views.features.rows(rows),
            views.targets[rows],
            record.classes,
            config.model_copy(update={"seed": seed + draw}),
            outputs=None if outputs is None else outputs[rows],
            cells=views.cells[rows],
            monitor=Monitor(should_stop=monitor.should_stop),
        )
        if resampled is None:
            continue
        found.append(resampled)
        left_out = np.flatnonzero(~np.isin(groups, drawn))
        if len(np.unique(views.targets[left_out])) > 1:
            predicted = resampled.predict(views.features.rows(left_out))
            accuracies.append(balanced_accuracy(views.targets[left_out], predicted))
    by_class = {one: _compared(one, laws, found, views.features, evaluations) for one in record.classes}
    return ClassLawStability(len(found), by_class, tuple(accuracies))


def _over(laws: ClassLaws, names: tuple[str, ...]) -> ClassLaws:
    """Return the laws over columns of other numbers."""
    return ClassLaws(
        {
            name: Law(over_columns(law.expression, names), names, law.metadata)
            for name, law in laws.laws.items()
        }
    )


def _compared(
    name: str, laws: ClassLaws, found: list[ClassLaws], features: FeatureTable, evaluations: int
) -> LawStability:
    """Say how often the law of a class came back."""
    ranges = input_ranges(features, features.names)
    expression = laws.laws[name].expression
    expected = directions_against_all(laws, name, ranges)
    each = [directions_against_all(one, name, ranges) for one in found]
    read = [one.laws[name].expression.variables() for one in found]
    used = expression.variables()
    inputs = tuple(
        InputStability(
            one,
            sum(one in variables for variables in read),
            sum(directions.get(one) == expected[one] for directions in each) if one in expected else None,
        )
        for one in used
    )
    others = {
        one: count
        for one in features.names
        if one not in used and (count := sum(one in variables for variables in read))
    }
    same = sum(skeleton(one.laws[name].expression) == skeleton(expression) for one in found)
    return LawStability(len(found), evaluations, inputs, others, same, ())
