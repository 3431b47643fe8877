"""From the shapes in a hall of fame to expressions: scale and offset written out where they earn their nodes.

Each shape g is offered as g, g + b, a g and a g + b, constants refitted, and then with any one operator left out; the
Pareto front of all of them, at exact complexity, is what the search returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from morpholaw.events import ShouldStop
from morpholaw.models.expressions import Call, Constant, Expression, simplify
from morpholaw.training.symbolic.engine import Candidate, SearchSpec, candidate_front
from morpholaw.training.symbolic.projection import Projection
from morpholaw.training.symbolic.refit import measured, refit

TO_PRUNE = 6


class Finisher:
    """Writes out, refits and prunes shapes on the rows of one search."""

    def __init__(self, x: np.ndarray, y: np.ndarray, spec: SearchSpec, weights: np.ndarray | None) -> None:
        self.x, self.y, self.spec, self.weights = x, y, spec, weights

    def finish(
        self, shapes: Iterable[tuple[Expression, Projection]], should_stop: ShouldStop
    ) -> tuple[Candidate, ...]:
        """The Pareto front; a stop skips what is not yet refitted and pruned, and still answers at once."""
        pairs = list(shapes)
        found = [self.candidate(affine(shape, fit)) for shape, fit in pairs]
        for shape, fit in pairs:
            for form in shorter_forms(shape, fit):
                if should_stop():
                    break
                found.append(self.candidate(self.quick(form)))
        front = candidate_front(c for c in found if c is not None)
        pruned: list[Candidate | None] = list(front)
        for candidate in front[-TO_PRUNE:]:
            for form in deletions(candidate.expression):
                if should_stop():
                    break
                pruned.append(self.candidate(self.quick(form)))
        return candidate_front(c for c in pruned if c is not None)

    def quick(self, expression: Expression) -> Expression:
        return refit(
            simplify(expression),
            self.x,
            self.y,
            self.spec.loss,
            self.weights,
            (1.0,),
            simplex=False,
            steps=40,
        )

    def candidate(self, expression: Expression) -> Candidate | None:
        """The expression simplified, with complexity and loss counted anew; None above the cap."""
        expression = simplify(expression)
        complexity = self.spec.complexity(expression)
        if complexity > self.spec.max_complexity or not allowed(expression, self.spec):
            return None
        return Candidate(
            expression, complexity, measured(expression, self.x, self.y, self.spec.loss, self.weights)
        )


def allowed(expression: Expression, spec: SearchSpec) -> bool:
    """Whether only the operators of the search occur; simplification may bring in a square, for example."""
    operators = {*spec.binary, *spec.unary}
    return all(node.operator in operators for node in expression.nodes() if isinstance(node, Call))


def affine(shape: Expression, fit: Projection) -> Expression:
    """scale * shape + offset."""
    return Call("+", (Call("*", (Constant(fit.scale), shape)), Constant(fit.offset)))


def shorter_forms(shape: Expression, fit: Projection) -> Iterator[Expression]:
    """The shape without offset, or without scale, or without either."""
    sign = 1.0 if fit.scale > 0 else -1.0
    yield Call("*", (Constant(fit.scale), shape))
    threshold = Constant(fit.offset / abs(fit.scale) if fit.scale else fit.offset)
    if sign > 0:
        yield Call("+", (shape, threshold))
        yield shape
    else:
        yield Call("-", (threshold, shape))
        yield Call("*", (Constant(-1.0), shape))


def deletions(expression: Expression) -> Iterator[Expression]:
    """Every expression with one operator replaced by one of its operands."""
    if not isinstance(expression, Call):
        return
    yield from expression.operands
    for index, operand in enumerate(expression.operands):
        for shorter in deletions(operand):
            operands = (*expression.operands[:index], shorter, *expression.operands[index + 1 :])
            yield Call(expression.operator, operands)
