"""A better law for one of several classes, from the law that there is or from a formula of a person."""

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
    """Search on for the law of one class, the others' forms as they are; return better laws, or None.

    The searches of the class against the rest begin with an expression and its mutants among random ones. Each form on
    their fronts takes the place of the class's law, with a scale and an offset of its own; that with the lowest
    multinomial loss plus price of complexity is kept, and the constants of all laws are fitted together. Better is a
    lower sum on the training rows.

    Parameters
    ----------
    rows : ClassLawRows
        What the laws learn from.
    laws : ClassLaws
        The laws of all classes, over the columns of ``rows``.
    name : str
        The class whose law is searched for.
    start : Expression
        More of it speaks for the class.
    config : LawConfig
        As for `discover_class_laws`. The embedded engine searches.
    monitor : Monitor
        Where progress is reported, and whether to stop.

    Raises
    ------
    InputError
        If the expression has operators that no search uses (min, max), or for what `discover_class_laws` refuses.
    """
    check_searchable(start)
    number = laws.classes.index(name)
    config = with_cap(config)
    whole = scaled(start)
    most = max(config.most_complex, whole.complexity())
    config = config.model_copy(update={"engine": "embedded", "max_complexity": most})
    own = rows.of_class(number, config)
    begin = [start]
    if config.loss == "hinge":  # as a score whose sign is the class, which the search is for
        begin.append(refit(whole, own.features.values, np.where(own.targets == 1, 1.0, -1.0)))
    forms = [one.expression for one in own.candidates(config, monitor, tuple(one.text() for one in begin))]
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
    found = {one: Law(best[k], laws.names, law.metadata) for k, (one, law) in enumerate(laws.laws.items())}
    found[name] = replace(found[name], metadata={**found[name].metadata, "improved_from": start.text()})
    return ClassLaws(found)
