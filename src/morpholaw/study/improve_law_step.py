"""Continued search from a law of a study, for two classes or for one class among several."""

from __future__ import annotations

from dataclasses import replace

from morpholaw.events import SILENT, Monitor
from morpholaw.models.classifier import Classifier
from morpholaw.models.expressions import Call, Constant, Expression, Variable, parse
from morpholaw.models.features import ModelColumns
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.evaluation_step import keep
from morpholaw.study.law_rows import outputs_of_scheme_3
from morpholaw.study.training_of_laws import check_place, class_laws_over_columns, over_columns, training_of
from morpholaw.training.class_law_rows import ClassLawRows
from morpholaw.training.improved_class_law import improve_class_law
from morpholaw.training.laws import improve_law


def improve(
    folder: StudyFolder,
    name: str,
    law: int | str,
    expression: str | None = None,
    evaluations: int | None = None,
    monitor: Monitor = SILENT,
) -> ClassifierRecord:
    """Continue the search from a law, or from a formula over inputs in units, and store a better law.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    name : str
        Name of the laws.
    law : int or str
        Index of a law of two classes, or one of more than two classes, whose law is searched for.
    expression : str, optional
        Formula to start from instead of the law.
    evaluations : int, optional
        Formulas tried per search.
    monitor : Monitor
        Receives progress and the outcome, and can cancel.

    Returns
    -------
    ClassifierRecord
        The new record, or the unchanged one if no better law was found.

    Raises
    ------
    InputError
        If there is no such law or class, or the training set no longer exists.
    """
    record, config, views = training_of(folder, name)
    names = views.features.names
    config = config.model_copy(update={"count": 2} | ({"evaluations": evaluations} if evaluations else {}))
    start = None if expression is None else _standardised(parse(expression, names), views.columns)
    laws: list[Law] = []
    if isinstance(law, str):
        record.class_laws.check_class(law)
        earlier = class_laws_over_columns(record.class_laws, names)
        outputs = outputs_of_scheme_3(folder, views, config, record.classes)
        rows = ClassLawRows(views.features, views.targets, len(record.classes), outputs, views.cells)
        better = improve_class_law(rows, earlier, law, start or earlier.laws[law].expression, config, monitor)
        missing = f"No better law of {law} was found"
        if better is not None:
            laws = list(better.laws.values())
            found = f"A better law of {law} was found, and the constants of the other laws were refitted"
    else:
        check_place(record, law)
        views = views.drawn(config)
        outputs = outputs_of_scheme_3(folder, views, config, record.classes)
        start = start or over_columns(record.laws[law].expression, names)
        first = improve_law(
            views.features, views.targets, start, config, outputs=outputs, cells=views.cells, monitor=monitor
        )
        missing = "No better law was found"
        if first is not None:
            laws = [first, *(one for one in record.laws if one.text() != first.text())]
            found = "A better law was found and is now law 1"
    if not laws:
        monitor.tell(f"{missing}: the laws are unchanged.")
        return record
    classifier = Classifier.with_laws(views.encoder, laws, record.classes, views.columns)
    cells = labelled_cells(folder, record.config)
    kept = keep(folder, classifier, name, cells, record.config, record.law_config)
    place = record.classes.index(law) if isinstance(law, str) else 0
    monitor.tell(f"{found}: {law_in_units(kept.laws[place], views.columns).rounded()}")
    return kept


def _standardised(node: Expression, columns: ModelColumns | None) -> Expression:
    """Convert a formula over inputs in units into one over standardised columns."""
    if isinstance(node, Variable) and columns is not None:
        place = columns.names.index(node.name)
        centre, scale = columns.centre[place], columns.scale[place]
        if (centre, scale) == (0.0, 1.0):
            return node
        return Call("+", (Call("*", (Constant(scale), node)), Constant(centre)))
    if isinstance(node, Call):
        return replace(node, operands=tuple(_standardised(one, columns) for one in node.operands))
    return node
