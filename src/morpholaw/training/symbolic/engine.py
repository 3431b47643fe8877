"""What a symbolic regression engine is asked and what it answers; every engine is behind this protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from morpholaw.errors import InputError
from morpholaw.events import ShouldStop, never
from morpholaw.models.expressions import Expression, parse
from morpholaw.models.expressions.operators import BINARY, COSTS, UNARY
from morpholaw.models.pareto import pareto_front

LossKind = Literal["hinge", "mse", "censored"]
"""max(0, 1 - y f); (f - y)^2; and `losses.CensoredError`."""


@dataclass(frozen=True)
class Budget:
    """When to stop. Evaluations alone give the same result for the same seed; seconds do not."""

    max_evaluations: int | None = 500_000
    max_seconds: float | None = None


@dataclass(frozen=True)
class SearchSpec:
    """One search: the grammar, its costs and cap (paper, B.4), the loss, the seed and the budget."""

    variables: tuple[str, ...]
    binary: tuple[str, ...] = BINARY
    unary: tuple[str, ...] = UNARY
    costs: Mapping[str, int] = field(default_factory=lambda: dict(COSTS))
    constant_cost: int = 1
    variable_cost: int = 1
    max_complexity: int = 20
    parsimony: float = 0.001
    loss: LossKind = "hinge"
    seed: int = 0
    budget: Budget = Budget()

    def complexity(self, expression: Expression) -> int:
        """Complexity at this search's costs."""
        return expression.complexity(self.costs, self.constant_cost, self.variable_cost)


@dataclass(frozen=True)
class Candidate:
    """An expression with its loss and complexity as our own code counts them."""

    expression: Expression
    complexity: int
    loss: float

    @property
    def text(self) -> str:
        """Infix text at full precision."""
        return self.expression.text()


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is: ``evaluations`` (unknown for PySR: 0), best loss, what it found as (complexity, loss)."""

    evaluations: int
    seconds: float
    best: float
    front: tuple[tuple[int, float], ...] = ()


StoppedBy = Literal["budget", "cancel"]


@dataclass(frozen=True)
class SearchResult:
    """The Pareto front (complexity rising, loss falling) and how it came about."""

    front: tuple[Candidate, ...]
    stopped_by: StoppedBy
    engine: str
    seed: int
    evaluations: int
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values that :meth:`from_json` reads back to the same result."""
        front = [{"expression": c.text, "complexity": c.complexity, "loss": c.loss} for c in self.front]
        return {**{name: value for name, value in vars(self).items() if name != "front"}, "front": front}

    @classmethod
    def from_json(cls, values: dict[str, Any], variables: Sequence[str]) -> SearchResult:
        """The result that :meth:`to_json` wrote; its expressions are read by our own parser."""
        front = tuple(
            Candidate(parse(c["expression"], variables), c["complexity"], c["loss"]) for c in values["front"]
        )
        return cls(**{**values, "front": front})


@dataclass(frozen=True)
class Availability:
    """Whether an engine can run now, why (not), and whether setting it up would help."""

    ready: bool
    reason: str
    can_set_up: bool = False


class Engine(Protocol):
    """A way of searching. `search` is deterministic where its budget is in evaluations and the engine can."""

    name: str
    own_process: bool  # whether `search` starts a process of its own

    @property
    def version(self) -> str: ...

    def availability(self) -> Availability:
        """Cheap: imports no PySR, downloads nothing, starts nothing."""
        ...

    def search(
        self,
        x: np.ndarray,
        y: np.ndarray,
        spec: SearchSpec,
        *,
        weights: np.ndarray | None = None,
        progress: Callable[[SearchProgress], None] | None = None,
        should_stop: ShouldStop = never,
    ) -> SearchResult:
        """Search for y (rows,) from x (rows, variables); a stopped search returns what it had."""
        ...


def candidate_front(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the Pareto front of candidates, by rising complexity; of equals the first in alphabetical order."""
    return tuple(pareto_front(candidates, key=lambda c: (c.complexity, c.loss, c.text)))


def check_data(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, spec: SearchSpec) -> None:
    """Refuse what no engine can search.

    Raises
    ------
    InputError
        Shapes that do not match, values that are not finite, one class only under hinge.
    """
    if x.ndim != 2 or x.shape[1] != len(spec.variables):
        raise InputError(
            f"The search needs rows of {len(spec.variables)} variables ({', '.join(spec.variables)}); "
            f"got an array of shape {x.shape}."
        )
    if y.shape != x.shape[:1] or len(y) < 2:
        raise InputError(
            f"The search needs one target for each of {len(x)} rows, two rows or more; got {y.shape}."
        )
    if not np.all(np.isfinite(x)) or not np.all(np.isfinite(y)):
        raise InputError("The search's latents and targets must all be finite numbers.")
    if spec.loss == "hinge" and set(np.unique(y)) != {-1.0, 1.0}:
        raise InputError("The hinge loss needs targets -1 and +1, both of them present.")
    if spec.loss == "censored" and not (-1 <= y.min() < 0 <= y.max() <= 1):
        raise InputError("The censored loss needs targets from -1 to +1, of both signs.")
    if weights is not None and (weights.shape != y.shape or np.any(weights < 0) or not np.any(weights > 0)):
        raise InputError("The search's weights must be one number for each row, none negative, not all zero.")
