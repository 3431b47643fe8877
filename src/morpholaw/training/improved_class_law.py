"""Improvement of the law of one class, starting from the present law or a given formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.events import SILENT, Monitor
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import Expression, simplify
from morpholaw.models.law import Law
from morpholaw.training.class_law_rows import ClassLawRows, with_cap
from morpholaw.training.class_laws import refitted, scaled, usable
from morpholaw.training.laws import LEAST_GAIN, check_searchable
from morpholaw.training.multinomial import Multinomial, fit_scale
from morpholaw.training.symbolic.polish_front import affine
from morpholaw.training.symbolic.refit import refit


def improve_class_law(
    rows: ClassLawRows,
    laws: ClassLaws,
    name: str,
    start: Expression,
    config: LawConfig,
    monitor: Monitor = SILENT,
) -> ClassLaws | None:
    """Search for a better law of one class while the other laws keep their form; return None if there is none.

    The searches of the class against the rest start with `start` and its mutants among random expressions. Each form on
    their fronts replaces the law of the class in turn, with a fitted scale and offset. The form with the lowest
    multinomial loss plus complexity penalty on the training rows is kept, and the constants of all laws are refitted.
    A result counts as better if that sum is lower than before.

    Parameters
    ----------
    rows : ClassLawRows
        Training data.
    laws : ClassLaws
        Present laws of all classes, over the columns of ``rows``.
    name : str
        Name of the class to improve.
    start : Expression
        Formula to start from; larger values favour the class.
    config : LawConfig
        Settings as for `discover_class_laws`; the embedded engine is always used.
    monitor : Monitor
        Receives progress and can stop the search.

    Returns
    -------
    ClassLaws or None

    Raises
    ------
    InputError
        If the formula has operators that searches do not support (min, max), or `discover_class_laws` rejects the data
        or settings.
    """
    check_searchable(start)
    number = laws.classes.index(name)
    config = with_cap(config)
    whole = scaled(start)
    most = max(config.most_complex, whole.complexity())
    config = config.model_copy(update={"engine": "embedded", "max_complexity": most})
    data = rows.of_class(number, config)
    begin = [start]
    if (
        config.loss == "hinge"
    ):  # refit the whole score so that its sign predicts the class, as the search expects
        begin.append(refit(whole, data.features.values, np.where(data.targets == 1, 1.0, -1.0)))
    forms = [one.expression for one in data.candidates(config, monitor, tuple(one.text() for one in begin))]
    x, truth = rows.fitted
    measure = Multinomial.of(truth, len(laws.classes))
    before = [law.expression for law in laws.laws.values()]
    price = config.parsimony / len(before)

    def cost(expressions: Sequence[Expression]) -> float:
        scores = np.stack([one.evaluate(x) for one in expressions], axis=1)
        loss = measure.value_and_derivative(scores)[0]
        whole = loss + price * sum(one.complexity() for one in expressions)
        return whole if math.isfinite(whole) else math.inf

    with np.errstate(all="ignore"):
        scores = np.stack([one.evaluate(x) for one in before], axis=1)
        options: list[list[Expression]] = [before]
        for form in [start, *forms]:
            if form.variables() and usable(form, x, config):
                fit = fit_scale(scores, number, form.evaluate(x), measure)
                whole = simplify(affine(form, fit))
                options.append([*before[:number], whole, *before[number + 1 :]])
        least = min(options, key=cost)
        best = refitted(list(least), x, measure)
        if not cost(best) < cost(before) - LEAST_GAIN:
            return None
    improved = {one: Law(best[k], laws.names, law.metadata) for k, (one, law) in enumerate(laws.laws.items())}
    improved[name] = replace(
        improved[name], metadata={**improved[name].metadata, "improved_from": start.text()}
    )
    return ClassLaws(improved)
