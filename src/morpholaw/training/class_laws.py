"""Discovery of one law per class (paper, section 8): searches of one class against the rest, then a joint fit.

A search of one class against the rest does not determine how its scores compare with those of the other laws. Therefore
all forms on the fronts of each class are candidates. Scales and offsets of all laws are fitted jointly with the
multinomial loss, which also selects the best combination, and finally the constants inside the laws are refitted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import Constant, Expression, simplify
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.training.checkpointing import NO_CHECKPOINTS, Checkpointing
from morpholaw.training.class_law_rows import ClassLawRows, with_cap
from morpholaw.training.laws import FinishedSearches
from morpholaw.training.multinomial import Multinomial, Scales, fit_scales
from morpholaw.training.symbolic.choice import choose_engine
from morpholaw.training.symbolic.engine import Candidate
from morpholaw.training.symbolic.polish_front import affine
from morpholaw.training.symbolic.program import (
    Program,
    constants,
    encode,
    value_and_gradient,
    with_constants,
)
from morpholaw.training.symbolic.projection import Projection

if TYPE_CHECKING:
    import pandas as pd

SearchesOfClasses = dict[str, FinishedSearches]
"""Results of complete searches for the law of each class."""
Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""A loss of outputs (rows,), returned with its derivative with respect to each output."""
OFFERED = 24
"""Maximum number of candidate forms per class in the joint selection."""
REST = Constant(0.0)
"""The law of the remaining class before its offset is fitted."""
SWEEPS = 3
"""Maximum number of passes over the classes in the joint selection."""


def discover_class_laws(
    features: FeatureTable | pd.DataFrame | np.ndarray,
    targets: np.ndarray,
    classes: Sequence[str],
    config: LawConfig,
    *,
    outputs: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    checkpointing: Checkpointing[SearchesOfClasses] = NO_CHECKPOINTS,
    monitor: Monitor = SILENT,
) -> ClassLaws | None:
    """Search for one law per class and fit the laws jointly on the training rows.

    Parameters
    ----------
    features : FeatureTable, DataFrame or ndarray
        (n, features); laws may use every column. A plain array holds the latents z0, z1, ...
    targets : ndarray
        Class number of each row, int (n,).
    classes : sequence of str
        Names of at least two classes, each of which has at least one row.
    config : LawConfig
        Settings as for `discover_laws`; ``count`` is the number of searches per class.
    outputs : ndarray, optional
        For the MSE loss, the logits of a network, (n, classes). Each law approximates the log odds of its class.
    cells : ndarray, optional
        Number of the cell that each row is a view of; see `discover_laws`.
    checkpointing : Checkpointing
        Saves the results of complete searches, which are not repeated on resuming.
    monitor : Monitor
        Receives progress and can stop the search.

    Returns
    -------
    ClassLaws or None
        The laws, whose softmax gives the class probabilities for equally frequent classes. None if the search was
        stopped before every class had a law.

    Raises
    ------
    InputError
        If there are fewer than two classes, a class has no rows, or `discover_laws` rejects the data or settings.
    """
    table, truth = FeatureTable.of(features), np.asarray(targets)
    missing = [name for number, name in enumerate(classes) if not np.any(truth == number)]
    if len(classes) < 2 or missing:
        raise InputError(
            f"Laws per class need rows of two classes or more; {missing or list(classes)} are not enough."
        )
    monitor.tell(choose_engine(config.engine)[1])
    config = with_cap(config)
    rows = ClassLawRows(table, truth, len(classes), outputs, cells)
    offered: list[list[Candidate]] = []
    finished: SearchesOfClasses = dict(checkpointing.resume or {})
    for number, name in enumerate(classes):
        monitor.tell(f"Searching for the law of {name} against the rest ({number + 1} of {len(classes)}).")

        def keep(results: FinishedSearches, name: str = name) -> None:
            finished[name] = results
            if checkpointing.save is not None:
                checkpointing.save(finished)

        of_class = Checkpointing(keep, finished.get(name))
        candidates = rows.of_class(number, config).candidates(config, monitor, checkpointing=of_class)
        if not candidates:
            return None
        offered.append(candidates)
    monitor.tell("Fitting the laws of all classes jointly.")
    laws = _fitted_together(offered, *rows.fitted, config)
    metadata = {"loss_kind": config.loss, "seed": config.seed}
    return ClassLaws(
        {
            name: Law(expression, table.names, {**metadata, "class": name})
            for name, expression in zip(classes, laws, strict=True)
        }
    )


def _fitted_together(
    offered: Sequence[Sequence[Candidate]], x: np.ndarray, truth: np.ndarray, config: LawConfig
) -> list[Expression]:
    """Select one candidate form per class and fit the laws jointly with the multinomial loss.

    The law of one class may be a constant: that class is then predicted where no other law is large.
    """
    measure = Multinomial.of(truth, len(offered))
    tried: list[list[Expression]] = []
    columns: list[np.ndarray] = []
    for candidates in offered:
        kept = [one.expression for one in candidates if usable(one.expression, x, config)][:OFFERED]
        kept = kept or [min(candidates, key=lambda one: one.complexity).expression]
        kept.append(REST)
        tried.append(kept)
        columns.append(np.stack([np.nan_to_num(form.evaluate(x), posinf=1e6, neginf=-1e6) for form in kept]))

    price = config.parsimony / len(offered)

    def cost(choice: Sequence[int], scales: Scales) -> float:
        return scales.loss + price * sum(tried[c][k].complexity() for c, k in enumerate(choice))

    def scores(choice: Sequence[int]) -> np.ndarray:
        return np.stack([columns[c][k] for c, k in enumerate(choice)], axis=1)

    best = [0] * len(tried)
    fit = fit_scales(scores(best), measure)
    least = cost(best, fit)
    for _ in range(SWEEPS):
        before = list(best)
        for number, forms in enumerate(tried):
            for place in range(len(forms)):
                choice = [*best[:number], place, *best[number + 1 :]]
                rests = sum(tried[c][k] is REST for c, k in enumerate(choice))
                if choice == best or rests > 1:
                    continue
                other = fit_scales(scores(choice), measure)
                if cost(choice, other) < least:
                    best, fit, least = choice, other, cost(choice, other)
        if best == before:
            break
    laws = [
        simplify(affine(tried[c][k], Projection(float(fit.scale[c]), float(fit.offset[c]), fit.loss)))
        for c, k in enumerate(best)
    ]
    return refitted(laws, x, measure)


def scaled(expression: Expression) -> Expression:
    """Return a form with an explicit scale and offset."""
    return simplify(affine(expression, Projection(1.37, 0.73, 0.0)))


def usable(expression: Expression, x: np.ndarray, config: LawConfig) -> bool:
    """Return whether a form is finite on all rows and within the maximum complexity including scale and offset.

    Parameters
    ----------
    expression : Expression
        The form.
    x : ndarray, float64 (rows, variables)
        Features.
    config : LawConfig
        Settings with the maximum complexity.

    Returns
    -------
    bool
    """
    return scaled(expression).complexity() <= config.most_complex and bool(
        np.isfinite(expression.evaluate(x)).all()
    )


def refitted(laws: list[Expression], x: np.ndarray, measure: Multinomial) -> list[Expression]:
    """Return the laws with refitted constants that lower the multinomial loss; two passes over the laws.

    Parameters
    ----------
    laws : list of Expression
        One law per class.
    x : ndarray, float64 (rows, variables)
        Features.
    measure : Multinomial
        The loss of the scores (rows, classes) and its derivative.

    Returns
    -------
    list of Expression
        Laws whose constants cannot be improved are returned unchanged.
    """
    from scipy.optimize import minimize

    by_column = np.ascontiguousarray(x.T)
    with np.errstate(all="ignore"):
        scores = np.stack([law.evaluate(x) for law in laws], axis=1)
        for number in [*range(len(laws))] * 2:
            program = encode(laws[number])
            places = constants(program)

            def loss(f: np.ndarray, number: int = number) -> tuple[float, np.ndarray]:
                value, derivative = measure.value_and_derivative(_with_column(scores, number, f))
                return value, derivative[:, number]

            def objective(
                values: np.ndarray, program: Program = program, places: list[int] = places, loss: Loss = loss
            ) -> tuple[float, np.ndarray]:
                value, gradient = value_and_gradient(with_constants(program, places, values), by_column, loss)
                if not math.isfinite(value) or not np.isfinite(gradient).all():
                    return 1e30, np.zeros(len(places))
                return value, gradient

            start = np.array([program[place] for place in places], dtype=np.float64)
            if not places or not math.isfinite(objective(start)[0]):
                continue
            solution = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 60})
            better = laws[number].with_constants([float(value) for value in solution.x])
            f = better.evaluate(x)
            if solution.fun < objective(start)[0] and np.isfinite(f).all():
                laws[number] = better
                scores[:, number] = f
    return laws


def _with_column(scores: np.ndarray, number: int, column: np.ndarray) -> np.ndarray:
    changed = scores.copy()
    changed[:, number] = column
    return changed
