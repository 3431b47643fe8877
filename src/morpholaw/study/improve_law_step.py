"""Search on from one law of a study, of two classes or of one among several."""

from __future__ import annotations

from dataclasses import replace

from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.classifier import Classifier
from morpholaw.models.expressions import Call, Constant, Expression, Variable, parse
from morpholaw.models.features import ModelColumns
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.evaluation_step import keep
from morpholaw.study.law_step import outputs_of_scheme_3
from morpholaw.study.training_of_laws import check_place, class_laws_over_columns, over_columns, training_of
from morpholaw.training.class_law_rows import ClassLawRows
from morpholaw.training.improved_class_law import improve_class_law
from morpholaw.training.laws import improve_law


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
    check_place(record, k)
    features = views.features
    if expression is None:
        start = over_columns(record.laws[k].expression, features.names)
    else:
        start = _standardised(parse(expression, features.names), views.columns)
    config = config.model_copy(update={"count": 2} | ({"evaluations": evaluations} if evaluations else {}))
    views = views.drawn(config)
    better = improve_law(
        views.features,
        views.targets,
        start,
        config,
        outputs=outputs_of_scheme_3(folder, views, config, record.classes),
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
    record.class_laws.check_class(class_name)
    laws = class_laws_over_columns(record.class_laws, views.features.names)
    if expression is None:
        start = laws.laws[class_name].expression
    else:
        start = _standardised(parse(expression, views.features.names), views.columns)
    config = config.model_copy(update={"count": 2} | ({"evaluations": evaluations} if evaluations else {}))
    outputs = outputs_of_scheme_3(folder, views, config, record.classes)
    rows = ClassLawRows(views.features, views.targets, len(record.classes), outputs, views.cells)
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


def _standardised(node: Expression, columns: ModelColumns | None) -> Expression:
    """Return a formula over inputs in units as one over standardised columns."""
    if isinstance(node, Variable) and columns is not None:
        place = columns.names.index(node.name)
        centre, scale = columns.centre[place], columns.scale[place]
        if (centre, scale) == (0.0, 1.0):
            return node
        return Call("+", (Call("*", (Constant(scale), node)), Constant(centre)))
    if isinstance(node, Call):
        return replace(node, operands=tuple(_standardised(one, columns) for one in node.operands))
    return node
