"""The protocol of symbolic regression engines: specification of a search, progress and results."""

from __future__ import annotations

import math
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
"""max(0, 1 - y f), (f - y)^2 and `losses.CensoredError`."""
StoppedBy = Literal["budget", "cancel"]


@dataclass(frozen=True)
class Budget:
    """When a search ends. Only a budget in evaluations gives reproducible results, not one in seconds."""

    max_evaluations: int | None = 500_000
    max_seconds: float | None = None


@dataclass(frozen=True)
class SearchSpec:
    """Specification of a search: grammar, costs and maximum complexity (paper, B.4), loss, seed and budget.

    ``guesses`` are expressions that the embedded engine starts from, in addition to random ones.
    """

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
    guesses: tuple[str, ...] = ()

    def complexity(self, expression: Expression) -> int:
        """Return the complexity of an expression with the costs of this search."""
        return expression.complexity(self.costs, self.constant_cost, self.variable_cost)


@dataclass(frozen=True)
class Candidate:
    """An expression with its complexity and loss, measured independently of the engine."""

    expression: Expression
    complexity: int
    loss: float

    @property
    def text(self) -> str:
        """Infix text at full precision."""
        return self.expression.text()


@dataclass(frozen=True)
class SearchProgress:
    """Progress of a search.

    Attributes
    ----------
    evaluations : int
        Number of evaluated expressions; 0 for PySR, which does not report it.
    seconds : float
        Time since the search began, in seconds.
    best : float
        Lowest loss so far.
    front : tuple of (complexity, loss)
        Pareto front so far.
    law : str
        Expression with the lowest cost so far, with constants at three digits; "" for PySR.
    cost : float
        Its loss plus its complexity penalty.
    """

    evaluations: int
    seconds: float
    best: float
    front: tuple[tuple[int, float], ...] = ()
    law: str = ""
    cost: float = math.inf


@dataclass(frozen=True)
class SearchResult:
    """The Pareto front of a search, with rising complexity and falling loss, and how it was found."""

    front: tuple[Candidate, ...]
    stopped_by: StoppedBy
    engine: str
    seed: int
    evaluations: int
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        front = [{"expression": c.text, "complexity": c.complexity, "loss": c.loss} for c in self.front]
        return {**{name: value for name, value in vars(self).items() if name != "front"}, "front": front}

    @classmethod
    def from_json(cls, values: dict[str, Any], variables: Sequence[str]) -> SearchResult:
        """Return the result that :meth:`to_json` wrote; expressions are parsed safely."""
        front = tuple(
            Candidate(parse(c["expression"], variables), c["complexity"], c["loss"]) for c in values["front"]
        )
        return cls(**{**values, "front": front})


@dataclass(frozen=True)
class Availability:
    """Whether an engine can run, the reason, and whether setting it up could help."""

    ready: bool
    reason: str
    can_set_up: bool = False


class Engine(Protocol):
    """A symbolic regression engine.

    Attributes
    ----------
    name : str
        Name in settings and results.
    own_process : bool
        Whether `search` starts a process of its own.
    """

    name: str
    own_process: bool

    @property
    def version(self) -> str:
        """Version of the engine."""
        ...

    def availability(self) -> Availability:
        """Return whether the engine can run, without importing PySR, downloading or starting anything."""
        ...

    def search(
        self,
        x: np.ndarray,
        y: np.ndarray,
        spec: SearchSpec,
        *,
        progress: Callable[[SearchProgress], None] | None = None,
        should_stop: ShouldStop = never,
    ) -> SearchResult:
        """Search for y (rows,) as a function of x (rows, variables); if stopped, return the results so far.

        The same seed gives the same result if the budget is in evaluations and the engine is deterministic.
        """
        ...


def candidate_front(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the Pareto front of candidates by rising complexity; ties are resolved alphabetically."""
    return tuple(pareto_front(candidates, key=lambda c: (c.complexity, c.loss, c.text)))


def check_data(x: np.ndarray, y: np.ndarray, spec: SearchSpec) -> None:
    """Check that data can be searched.

    Parameters
    ----------
    x : ndarray, float64 (rows, variables)
        Features.
    y : ndarray, float64 (rows,)
        Targets.
    spec : SearchSpec
        Variables and loss of the search.

    Raises
    ------
    InputError
        If shapes do not match, values are not finite, or the hinge loss has only one class.
    """
    if x.ndim != 2 or x.shape[1] != len(spec.variables):
        raise InputError(
            f"The search needs rows of {len(spec.variables)} variables ({', '.join(spec.variables)}); "
            f"got an array of shape {x.shape}."
        )
    if y.shape != x.shape[:1] or len(y) < 2:
        raise InputError(
            f"The search needs one target per row and at least two rows; got {len(x)} rows and targets {y.shape}."
        )
    if not np.all(np.isfinite(x)) or not np.all(np.isfinite(y)):
        raise InputError("The features and targets of the search must be finite.")
    if spec.loss == "hinge" and set(np.unique(y)) != {-1.0, 1.0}:
        raise InputError("The hinge loss needs targets -1 and +1, and both must occur.")
    if spec.loss == "censored" and not (-1 <= y.min() < 0 <= y.max() <= 1):
        raise InputError("The censored loss needs targets from -1 to +1, of both signs.")
