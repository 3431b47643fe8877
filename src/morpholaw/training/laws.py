"""Scheme 4: laws from features, ten at a time (paper, 5.3, 6.4 and B.4).

Independent searches are run; of each, the simplest expression that is as good as its best is taken, unless it has the
form of one that was already taken. Constants are refitted, and size, loss and accuracy are measured by our own code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor, Progress
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
"""Results of the searches that have run to their end, as plain values (`SearchResult.to_json`)."""

LEAST_GAIN = 1e-4
"""Least gain of loss plus price of complexity that counts as an improvement."""
STUCK = 0.01
"""A search whose law is less accurate than the best by at least this much counts as stuck in a poor optimum."""


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
    """Find ``config.count`` distinct laws.

    Parameters
    ----------
    features : FeatureTable, DataFrame or ndarray
        (n, features), every column of which the laws may read; a plain array holds latents z0, z1, ...
    targets : ndarray
        Class of each row, int (n,), 0 or 1. Both classes count the same where they are equally frequent.
    config : LawConfig
        Loss, engine, count, caps, budget and seed. The result does not depend on the number of processes.
    outputs : ndarray, optional
        For the MSE loss: a network's scores, (n,), which the laws are fitted to.
    cells : ndarray, optional
        Which cell each row is a view of, int (n,); by default each its own. Eight orientations of one cell are
        little more evidence for a law than one of them.
    checkpointing : Checkpointing
        Keeps the results of the searches that have finished; those are not repeated.
    monitor : Monitor
        Where progress is reported, and whether to stop.

    Returns
    -------
    list of Law
        The most accurate first, each with metadata: loss_kind, loss, accuracy, complexity, size, engine, seed,
        evaluations, stopped_by, rows, undefined. Fewer than ``config.count`` if the search was stopped or found
        fewer.

    Raises
    ------
    InputError
        If the data or settings cannot be searched, or an engine that was asked for cannot run.
    """
    problem = _problem(FeatureTable.of(features), targets, outputs, cells, config)
    engine, reason = choose_engine(config.engine)
    monitor.emit(Message(reason))
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
    monitor: Monitor = SILENT,
) -> list[Candidate]:
    """Find the distinct forms on the fronts of ``config.count`` searches, the least cost first.

    The arguments are those of `discover_laws`, and ``guesses``: expressions that the embedded engine begins with. A
    form that is a constant, or undefined on a row, is left out.
    """
    problem = _problem(FeatureTable.of(features), targets, outputs, cells, config)
    problem = replace(problem, spec=replace(problem.spec, guesses=guesses))
    engine, _ = choose_engine(config.engine)
    forms: dict[str, Candidate] = {}
    for result in _search(engine, problem, config, NO_CHECKPOINTS, monitor):
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
    """Search on from an expression; return a better law, or None where none was found.

    The first search begins with the expression and its mutants among random ones, and so do ``config.count - 1`` others
    with other seeds. Better is a lower loss plus price of complexity on the training rows than that of the expression
    with its constants refitted; where it is the expression itself that gets better by the refit, that is returned.

    Parameters
    ----------
    start : Expression
        Over the columns of ``features``.
    features, targets, config, outputs, cells, monitor
        As for `discover_laws`. The embedded engine searches.

    Raises
    ------
    InputError
        If the expression has operators that no search uses (min, max), or for what `discover_laws` refuses.
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
    found = [(one, result) for result in results for one in result.front if one.expression.variables()]
    if not found:
        return None
    best = min([*known[1:], *(one for one, _ in found)], key=lambda one: (problem.cost(one), one.text))
    if not problem.cost(best) < problem.cost(before) - LEAST_GAIN:
        return None
    source = next((result for one, result in found if one is best), results[0])
    law = _law(problem, best, source, refit_constants=best is not known[1] and not monitor.should_stop())
    return replace(law, metadata={**law.metadata, "improved_from": start.text()})


def check_searchable(start: Expression) -> None:
    """Refuse a formula to begin with that has operators which no search uses."""
    foreign = {node.operator for node in start.nodes() if isinstance(node, Call)} - set(SEARCHED)
    if foreign:
        raise InputError(
            f'A search does not know {" or ".join(sorted(foreign))}, which "and" and "or" stand for; begin with a '
            "formula of sums, products and functions."
        )


@dataclass(frozen=True)
class _Problem:
    """What is searched for: ``y`` as the engines see it, and the classes by which accuracy is measured."""

    features: FeatureTable
    y: np.ndarray
    targets: np.ndarray
    cells: np.ndarray
    spec: SearchSpec

    def cost(self, candidate: Candidate) -> float:
        """Return the loss plus the price of complexity, as the engines weigh them (paper, B.4)."""
        baseline = max(float(np.var(self.y)), 1e-12) if self.spec.loss == "mse" else 1.0
        return candidate.loss / baseline + self.spec.parsimony * candidate.complexity

    def accuracy(self, candidate: Candidate) -> float:
        """Return the share of rows whose class is right."""
        return Law(candidate.expression, self.spec.variables).accuracy(self.features, self.targets)

    def as_good(self, front: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates whose loss is within one standard error of the best's, the simplest first.

        The rule of Breiman et al. (1984) for trees: what a few cells say in favour of three more operations is chance.
        The error is that of the difference of the two losses over cells.
        """
        best = min(front, key=self.cost)
        least = self._loss_by_cell(best)
        good = [best]
        for candidate in front:
            with np.errstate(invalid="ignore"):  # a loss that is infinite is not as good
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
        raise InputError(f"There must be one target for each of {len(table)} rows; got {classes.shape}.")
    if not np.array_equal(np.unique(classes), [0, 1]):
        raise InputError("The targets of a law must be the classes 0 and 1, both of them present.")
    loss: LossKind = "hinge"
    y = np.where(classes == 1, 1.0, -1.0)
    if config.loss == "mse":
        if outputs is None or outputs.shape != classes.shape or not np.all(np.isfinite(outputs)):
            raise InputError("The MSE loss needs a network's outputs, one finite number for each row.")
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
            monitor.emit(Message(f"Resuming: {len(finished)} of {len(specs)} searches had finished before."))

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
        monitor.emit(Message(f"{failure} The embedded engine searches instead.", "warning"))
        return search(EmbeddedEngine())


def _choose(
    problem: _Problem, results: Sequence[SearchResult], config: LawConfig
) -> list[tuple[Candidate, SearchResult]]:
    """Choose the candidates that become laws, each with the search that it came from.

    Of each search that did not get stuck: the simplest candidate that is as good as its best and has a new form. Then
    the remaining candidates of all searches by cost, until there are enough.
    """
    # A constant is no law.
    fronts = [[one for one in result.front if one.expression.variables()] for result in results]
    good = [(problem.as_good(front), result) for front, result in zip(fronts, results, strict=True) if front]
    good.sort(key=lambda pair: (problem.cost(pair[0][0]), pair[0][0].text))
    accuracies = [problem.accuracy(min(candidates, key=problem.cost)) for candidates, _ in good]
    most, cells = max(accuracies, default=0.0), len(np.unique(problem.cells))
    least = most - max(STUCK, np.sqrt(most * (1 - most) / cells))  # with few cells, smaller gaps are chance
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
