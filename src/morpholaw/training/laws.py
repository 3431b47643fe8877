"""Discovery of scheme 4 laws by symbolic regression (paper, 5.3, 6.4 and B.4).

Several independent searches run. From each, the simplest expression that is as good as its best one is selected, unless
an expression of the same form was already selected. Constants are then refitted, and size, loss and accuracy are
measured independently of the search engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.models.expressions import Call, Expression, skeleton
from morpholaw.models.expressions.operators import SEARCHED
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.training.checkpointing import NO_CHECKPOINTS, Checkpointing
from morpholaw.training.symbolic import (
    Budget,
    Candidate,
    Engine,
    SearchResult,
    SearchSpec,
    choose_engine,
    refit,
    search_restarts,
)
from morpholaw.training.symbolic.distillation import distil
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import LossKind
from morpholaw.training.symbolic.losses import make_loss
from morpholaw.training.symbolic.pysr_engine import EngineFailure
from morpholaw.training.symbolic.refit import measured

if TYPE_CHECKING:
    import pandas as pd

FinishedSearches = list[dict[str, Any]]
"""Results of complete searches as plain values (`SearchResult.to_json`)."""

LEAST_GAIN = 1e-4
"""Minimum decrease of loss plus complexity penalty that counts as an improvement."""
STUCK = 0.01
"""A search counts as stuck in a poor optimum if its accuracy is lower than the best by at least this much."""


def discover_laws(
    features: FeatureTable | pd.DataFrame | np.ndarray,
    targets: np.ndarray,
    config: LawConfig,
    *,
    outputs: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    checkpointing: Checkpointing[FinishedSearches] = NO_CHECKPOINTS,
    monitor: Monitor = SILENT,
) -> list[Law]:
    """Search for ``config.count`` distinct laws that separate two classes.

    Parameters
    ----------
    features : FeatureTable, DataFrame or ndarray
        (n, features); laws may use every column. A plain array holds the latents z0, z1, ...
    targets : ndarray
        Class of each row, int (n,), 0 or 1. Both classes have the same influence only if they are equally frequent.
    config : LawConfig
        Loss, engine, count, maximum complexity, budget and seed. The result does not depend on the number of processes.
    outputs : ndarray, optional
        For the MSE loss, the scores of a network, (n,), which laws approximate.
    cells : ndarray, optional
        Number of the cell that each row is a view of, int (n,); by default each row is a cell of its own. Eight
        orientations of one cell are hardly more evidence than one.
    checkpointing : Checkpointing
        Saves the results of complete searches, which are not repeated on resuming.
    monitor : Monitor
        Receives progress and can stop the search.

    Returns
    -------
    list of Law
        The most accurate law first. The metadata of each law has loss_kind, loss, accuracy, complexity, size, engine,
        seed, evaluations, stopped_by, rows and undefined. There may be fewer than ``config.count`` laws if the search
        was stopped or found fewer.

    Raises
    ------
    InputError
        If the data or settings are invalid, or the requested engine cannot run.
    """
    problem = _problem(FeatureTable.of(features), targets, outputs, cells, config)
    engine, reason = choose_engine(config.engine)
    monitor.tell(reason)
    results = _search(engine, problem, config, checkpointing, monitor)
    chosen = _choose(problem, results, config)
    laws = []
    for done, (candidate, result) in enumerate(chosen):
        monitor.emit(Progress(done, len(chosen), "refit"))
        laws.append(_law(problem, candidate, result, refit_constants=not monitor.should_stop()))
    laws.sort(key=lambda law: (-law.metadata["accuracy"], law.complexity, law.text()))
    return laws


def law_candidates(
    features: FeatureTable | pd.DataFrame | np.ndarray,
    targets: np.ndarray,
    config: LawConfig,
    *,
    outputs: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    guesses: tuple[str, ...] = (),
    checkpointing: Checkpointing[FinishedSearches] = NO_CHECKPOINTS,
    monitor: Monitor = SILENT,
) -> list[Candidate]:
    """Return the distinct forms on the fronts of ``config.count`` searches, in ascending order of cost.

    The arguments are those of `discover_laws`; ``guesses`` are expressions that the embedded engine starts from. Forms
    that are constant or undefined on a row are left out.
    """
    problem = _problem(FeatureTable.of(features), targets, outputs, cells, config)
    problem = replace(problem, spec=replace(problem.spec, guesses=guesses))
    engine, _ = choose_engine(config.engine)
    forms: dict[str, Candidate] = {}
    for result in _search(engine, problem, config, checkpointing, monitor):
        for one in result.front:
            if one.expression.variables() and np.isfinite(one.loss):
                known = forms.setdefault(skeleton(one.expression), one)
                if problem.cost(one) < problem.cost(known):
                    forms[skeleton(one.expression)] = one
    return sorted(forms.values(), key=lambda one: (problem.cost(one), one.text))


def improve_law(
    features: FeatureTable | pd.DataFrame | np.ndarray,
    targets: np.ndarray,
    start: Expression,
    config: LawConfig,
    *,
    outputs: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    monitor: Monitor = SILENT,
) -> Law | None:
    """Search for a better law, starting from an expression; return None if there is none.

    ``config.count`` searches with different seeds start with the expression and its mutants among random expressions. A
    law is better if its loss plus complexity penalty on the training rows is lower than that of the expression with
    refitted constants. If only the refit improves the expression, the refitted expression is returned.

    Parameters
    ----------
    start : Expression
        Expression to improve, over the columns of ``features``.
    features, targets, config, outputs, cells, monitor
        As for `discover_laws`; the embedded engine is always used.

    Returns
    -------
    Law or None

    Raises
    ------
    InputError
        If the expression has operators that searches do not support (min, max), or `discover_laws` rejects the data or
        settings.
    """
    check_searchable(start)
    most = max(config.most_complex, start.complexity())
    config = config.model_copy(update={"engine": "embedded", "max_complexity": most})
    problem = _problem(FeatureTable.of(features), targets, outputs, cells, config)
    problem = replace(problem, spec=replace(problem.spec, guesses=(start.text(),)))
    x, y, kind = problem.features.values, problem.y, problem.spec.loss

    def candidate(expression: Expression) -> Candidate:
        return Candidate(expression, problem.spec.complexity(expression), measured(expression, x, y, kind))

    before = candidate(start)
    known = [before, candidate(refit(start, x, y, kind))]
    results = _search(EmbeddedEngine(), problem, config, NO_CHECKPOINTS, monitor)
    improved = [(one, result) for result in results for one in result.front if one.expression.variables()]
    if not improved:
        return None
    best = min([*known[1:], *(one for one, _ in improved)], key=lambda one: (problem.cost(one), one.text))
    if not problem.cost(best) < problem.cost(before) - LEAST_GAIN:
        return None
    source = next((result for one, result in improved if one is best), results[0])
    law = _law(problem, best, source, refit_constants=best is not known[1] and not monitor.should_stop())
    return replace(law, metadata={**law.metadata, "improved_from": start.text()})


def check_searchable(start: Expression) -> None:
    """Raise an InputError if a formula has operators that searches do not support."""
    foreign = {node.operator for node in start.nodes() if isinstance(node, Call)} - set(SEARCHED)
    if foreign:
        raise InputError(
            f'A search does not support {" or ".join(sorted(foreign))}, which "and" and "or" stand for; start from a '
            "formula of sums, products and functions."
        )


@dataclass(frozen=True)
class _Problem:
    """The data of a search: targets ``y`` as the engines expect them, and classes for the accuracy."""

    features: FeatureTable
    y: np.ndarray
    targets: np.ndarray
    cells: np.ndarray
    spec: SearchSpec

    def cost(self, candidate: Candidate) -> float:
        """Return the loss plus the complexity penalty, as the engines compute it (paper, B.4)."""
        baseline = max(float(np.var(self.y)), 1e-12) if self.spec.loss == "mse" else 1.0
        return candidate.loss / baseline + self.spec.parsimony * candidate.complexity

    def accuracy(self, candidate: Candidate) -> float:
        """Return the share of rows that are classified correctly."""
        return Law(candidate.expression, self.spec.variables).accuracy(self.features, self.targets)

    def as_good(self, front: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates whose loss is within one standard error of the best, simplest first.

        This is the rule of Breiman et al. (1984) for trees: a few cells do not justify three more operations. The
        standard error is that of the difference of the two losses over cells.
        """
        best = min(front, key=self.cost)
        least = self._loss_by_cell(best)
        good = [best]
        for candidate in front:
            with np.errstate(invalid="ignore"):  # an infinite loss is never as good
                worse = self._loss_by_cell(candidate) - least
            if len(worse) > 1 and worse.mean() < worse.std(ddof=1) / np.sqrt(len(worse)):
                good.append(candidate)
        return sorted(good, key=lambda one: (one.complexity, self.cost(one)))

    def _loss_by_cell(self, candidate: Candidate) -> np.ndarray:
        """Return the mean loss over the rows of each cell."""
        score = candidate.expression.evaluate(self.features.values)
        each = make_loss(self.spec.loss, self.y).each(score)
        return np.bincount(self.cells, each) / np.bincount(self.cells)


def _problem(
    features: FeatureTable,
    targets: np.ndarray,
    outputs: np.ndarray | None,
    cells: np.ndarray | None,
    config: LawConfig,
) -> _Problem:
    table = FeatureTable(np.asarray(features.values, dtype=np.float64), features.names)
    classes = np.asarray(targets)
    if classes.shape != (len(table),):
        raise InputError(f"There must be one target for each of the {len(table)} rows; got {classes.shape}.")
    if not np.array_equal(np.unique(classes), [0, 1]):
        raise InputError("The targets of a law must be the classes 0 and 1, and both must occur.")
    loss: LossKind = "hinge"
    y = np.where(classes == 1, 1.0, -1.0)
    if config.loss == "mse":
        if outputs is None or outputs.shape != classes.shape or not np.all(np.isfinite(outputs)):
            raise InputError("The MSE loss needs the outputs of a network, one finite number per row.")
        y, loss = distil(np.asarray(outputs, dtype=np.float64), config.distillation)
    spec = SearchSpec(
        table.names,
        max_complexity=config.most_complex,
        parsimony=config.parsimony,
        loss=loss,
        budget=Budget(config.evaluations),
    )
    _, cell_numbers = np.unique(np.arange(len(table)) if cells is None else cells, return_inverse=True)
    return _Problem(table, y, classes, cell_numbers, spec)


def _search(
    engine: Engine,
    problem: _Problem,
    config: LawConfig,
    checkpointing: Checkpointing[FinishedSearches],
    monitor: Monitor,
) -> list[SearchResult]:
    seeds = np.random.SeedSequence(config.seed).generate_state(config.count)
    specs = [replace(problem.spec, seed=int(seed) % 2**31) for seed in seeds]
    earlier = [SearchResult.from_json(one, problem.spec.variables) for one in checkpointing.resume or ()]

    def search(engine: Engine) -> list[SearchResult]:
        finished = {result.seed: result for result in earlier if result.engine == engine.name}
        if finished:
            monitor.tell(f"Resuming: {len(finished)} of {len(specs)} searches were already finished.")

        def keep(result: SearchResult) -> None:
            finished[result.seed] = result
            if checkpointing.save is not None:
                checkpointing.save([one.to_json() for one in finished.values()])

        results = search_restarts(
            engine,
            problem.features.values,
            problem.y,
            [spec for spec in specs if spec.seed not in finished],
            processes=config.processes,
            monitor=monitor,
            keep=keep,
        )
        every = {**finished, **{result.seed: result for result in results}}
        return [every[spec.seed] for spec in specs if spec.seed in every]

    try:
        return search(engine)
    except EngineFailure as failure:
        if config.engine != "auto":
            raise
        monitor.warn(f"{failure} Continuing with the embedded engine.")
        return search(EmbeddedEngine())


def _choose(
    problem: _Problem, results: Sequence[SearchResult], config: LawConfig
) -> list[tuple[Candidate, SearchResult]]:
    """Select the candidates that become laws, each with the search that found it.

    Each search that is not stuck contributes its simplest candidate that is as good as its best one and has a new form.
    If that is not enough, further candidates of all searches are added in ascending order of cost.
    """
    # A constant is not a law.
    fronts = [[one for one in result.front if one.expression.variables()] for result in results]
    good = [(problem.as_good(front), result) for front, result in zip(fronts, results, strict=True) if front]
    good.sort(key=lambda pair: (problem.cost(pair[0][0]), pair[0][0].text))
    accuracies = [problem.accuracy(min(candidates, key=problem.cost)) for candidates, _ in good]
    most, cells = max(accuracies, default=0.0), len(np.unique(problem.cells))
    least = most - max(
        STUCK, np.sqrt(most * (1 - most) / cells)
    )  # with few cells, smaller gaps are due to chance
    rest = [(one, result) for front, result in zip(fronts, results, strict=True) for one in front]
    rest.sort(key=lambda pair: (problem.cost(pair[0]), pair[0].text))
    chosen: dict[str, tuple[Candidate, SearchResult]] = {}
    for (candidates, result), accuracy in zip(good, accuracies, strict=True):
        new = [candidate for candidate in candidates if skeleton(candidate.expression) not in chosen]
        if new and accuracy >= least:
            chosen[skeleton(new[0].expression)] = new[0], result
    for candidate, result in rest:
        if len(chosen) < config.count:
            chosen.setdefault(skeleton(candidate.expression), (candidate, result))
    return list(chosen.values())[: config.count]


def _law(problem: _Problem, candidate: Candidate, result: SearchResult, refit_constants: bool) -> Law:
    kind, x, y = problem.spec.loss, problem.features.values, problem.y
    expression = candidate.expression
    if refit_constants:
        expression = refit(expression, x, y, kind)
    law = Law(expression, problem.spec.variables)
    metadata = {
        "loss_kind": kind,
        "loss": measured(expression, x, y, kind),
        "accuracy": law.accuracy(problem.features, problem.targets),
        "complexity": problem.spec.complexity(expression),
        "size": expression.size,
        "engine": result.engine,
        "seed": result.seed,
        "evaluations": result.evaluations,
        "stopped_by": result.stopped_by,
        "rows": len(y),
        "undefined": law.undefined(problem.features),
    }
    return replace(law, metadata=metadata)
