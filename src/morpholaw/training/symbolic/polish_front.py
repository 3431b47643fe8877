"""Conversion of a hall of fame of forms to expressions, with scale and offset where they are worth their nodes.

Each form g is tried as g, g + b, a g and a g + b with refitted constants, and then with any one operator removed. The
search returns the Pareto front of all these expressions by exact complexity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from morpholaw.events import ShouldStop
from morpholaw.models.expressions import Call, Constant, Expression, simplify
from morpholaw.training.symbolic.engine import Candidate, SearchSpec, candidate_front
from morpholaw.training.symbolic.projection import Projection
from morpholaw.training.symbolic.refit import Effort, measured, refit

SHORTENED = 6
"""Number of the longest expressions of the front that are also tried with one operator removed."""
QUICK = Effort(scales=(1.0,), simplex=False, steps=40)


def polish_front(
    forms: Iterable[tuple[Expression, Projection]],
    x: np.ndarray,
    y: np.ndarray,
    spec: SearchSpec,
    should_stop: ShouldStop,
) -> tuple[Candidate, ...]:
    """Return the Pareto front of expressions made from forms; a stop skips the remaining refits.

    Parameters
    ----------
    forms : iterable of (Expression, Projection)
        Forms with their optimal scale and offset.
    x : ndarray
        Features (rows, variables).
    y : ndarray
        Targets (rows,).
    spec : SearchSpec
        The search, with its loss, operators and maximum complexity.
    should_stop : callable
        Called before each refit.

    Returns
    -------
    tuple of Candidate
    """

    def candidate(expression: Expression) -> Candidate | None:
        """Return the simplified expression with its measured loss; None if it is too complex or has other operators."""
        expression = simplify(expression)
        complexity = spec.complexity(expression)
        if complexity > spec.max_complexity or not _allowed(expression, spec):
            return None
        return Candidate(expression, complexity, measured(expression, x, y, spec.loss))

    def refitted(expressions: Iterable[Expression]) -> Iterator[Candidate | None]:
        for expression in expressions:
            if should_stop():
                return
            yield candidate(refit(simplify(expression), x, y, spec.loss, QUICK))

    pairs = list(forms)
    candidates = [candidate(affine(form, fit)) for form, fit in pairs]
    for form, fit in pairs:
        candidates += refitted(shorter_forms(form, fit))
    front = candidate_front(c for c in candidates if c is not None)
    shortened: list[Candidate | None] = list(front)
    for one in front[-SHORTENED:]:
        shortened += refitted(deletions(one.expression))
    return candidate_front(c for c in shortened if c is not None)


def _allowed(expression: Expression, spec: SearchSpec) -> bool:
    """Return whether an expression has only operators of the search; simplification may introduce others."""
    operators = {*spec.binary, *spec.unary}
    return all(node.operator in operators for node in expression.nodes() if isinstance(node, Call))


def affine(form: Expression, fit: Projection) -> Expression:
    """Return scale * form + offset."""
    return Call("+", (Call("*", (Constant(fit.scale), form)), Constant(fit.offset)))


def shorter_forms(form: Expression, fit: Projection) -> Iterator[Expression]:
    """Yield the form without offset, without scale, and without both."""
    yield Call("*", (Constant(fit.scale), form))
    threshold = Constant(fit.offset / abs(fit.scale) if fit.scale else fit.offset)
    if fit.scale > 0:
        yield Call("+", (form, threshold))
        yield form
    else:
        yield Call("-", (threshold, form))
        yield Call("*", (Constant(-1.0), form))


def deletions(expression: Expression) -> Iterator[Expression]:
    """Yield every expression with one operator replaced by one of its operands."""
    if not isinstance(expression, Call):
        return
    yield from expression.operands
    for index, operand in enumerate(expression.operands):
        for shorter in deletions(operand):
            operands = (*expression.operands[:index], shorter, *expression.operands[index + 1 :])
            yield Call(expression.operator, operands)
