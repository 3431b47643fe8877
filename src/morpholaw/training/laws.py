"""Scheme 4: laws from latents, ten at a time (paper, 5.3, 6.4 and B.4).

Independent searches, of each the simplest expression that is as good as its best, distinct up to their constants,
constants refitted, everything counted anew by our own code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor, Progress
from morpholaw.models.expressions import skeleton
from morpholaw.models.law import Law
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

Keep = Callable[[list[dict[str, Any]]], None]

STUCK = 0.01  # a restart whose law is this much less accurate than the best got stuck, at the least


def discover_laws(
    latents: np.ndarray,
    targets: np.ndarray,
    names: Sequence[str],
    config: LawConfig,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    monitor: Monitor = SILENT,
    *,
    labels: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    known: Sequence[dict[str, Any]] = (),
    keep: Keep | None = None,
) -> list[Law]:
    """Find ``config.count`` distinct laws, the most accurate first.

    Parameters
    ----------
    latents
        (rows, variables), the latents ``names`` alone.
    targets
        (rows,): for the hinge loss labels -1 and +1; for MSE the outputs of scheme 3.
    names
        The latents' names, e.g. ``["z3", "z17", "z21", "z29"]``.
    config
        Loss, engine, count, caps, budget and seed. The same settings give the same laws, however many processes.
    validation
        Latents and labels (-1, +1) of other rows, whose accuracy is recorded but decides nothing.
    labels
        For MSE, the true classes (rows,) of the training rows, to state the accuracy by; else the signs of ``targets``.
    cells
        Which cell each row is a picture of, int (rows,); by default each its own. Turned and flipped pictures of one
        cell say no more of a law than one of them.
    known
        What ``keep`` was called with in an earlier, interrupted call of the same arguments: those restarts are
        not searched again, and the laws are those of an uninterrupted call.
    keep
        Called with plain values, the results of all restarts that have run to their end, at each new one.

    Returns
    -------
    list of Law
        Each with metadata: loss_kind, loss, accuracy, complexity, size, engine, seed, evaluations, undefined.
        Fewer than ``config.count`` where the search was stopped or found fewer.

    Raises
    ------
    InputError
        Data or settings that cannot be searched, or an engine that was asked for and cannot run.
    """
    problem = _problem(latents, targets, tuple(names), config, labels, cells)
    engine, reason = choose_engine(config.engine)
    monitor.emit(Message(reason))
    results = _search(engine, problem, config, monitor, known, keep)
    chosen = _choose(problem, results, config)
    laws = []
    for done, (candidate, result) in enumerate(chosen):
        monitor.emit(Progress(done, len(chosen), "refit"))
        laws.append(_law(problem, candidate, result, validation, refit_constants=not monitor.should_stop()))
    laws.sort(key=lambda law: (-law.metadata["accuracy"], law.complexity, law.text()))
    return laws


@dataclass(frozen=True)
class _Problem:
    """What is searched for: targets as the engines see them, and classes to state the accuracy by."""

    x: np.ndarray
    y: np.ndarray
    classes: np.ndarray
    cells: np.ndarray
    spec: SearchSpec

    def cost(self, candidate: Candidate) -> float:
        """Loss and the price of complexity, as the engines weigh them (paper, B.4)."""
        baseline = max(float(np.var(self.y)), 1e-12) if self.spec.loss == "mse" else 1.0
        return candidate.loss / baseline + self.spec.parsimony * candidate.complexity

    def accuracy(self, candidate: Candidate) -> float:
        return Law(candidate.expression, self.spec.variables).accuracy(self.x, self.classes)

    def as_good(self, front: Sequence[Candidate]) -> list[Candidate]:
        """Candidates of a front whose loss is within one standard error of the best's, the simplest first.

        The rule of Breiman et al. (1984) for trees: what a few cells say in favour of three more operations is chance.
        The error is that of the difference of the two losses over cells.
        """
        best = min(front, key=self.cost)
        least = self._by_cell(best)
        good = [best]
        for candidate in front:
            with np.errstate(invalid="ignore"):  # a loss without bounds is not as good
                worse = self._by_cell(candidate) - least
            if len(worse) > 1 and worse.mean() < worse.std(ddof=1) / np.sqrt(len(worse)):
                good.append(candidate)
        return sorted(good, key=lambda one: (one.complexity, self.cost(one)))

    def _by_cell(self, candidate: Candidate) -> np.ndarray:
        """Mean loss of each cell's rows."""
        score = Law(candidate.expression, self.spec.variables).score(self.x)
        each = make_loss(self.spec.loss, self.y).each(score)
        return np.bincount(self.cells, each) / np.bincount(self.cells)


def _problem(
    latents: np.ndarray,
    targets: np.ndarray,
    names: tuple[str, ...],
    config: LawConfig,
    labels: np.ndarray | None,
    cells: np.ndarray | None,
) -> _Problem:
    x, y = np.asarray(latents, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if y.ndim != 1 or not len(y) or not np.all(np.isfinite(y)):
        raise InputError("The targets of a law must be one finite number for each row.")
    loss: LossKind = "hinge"
    classes = np.where(y >= 0, 1.0, -1.0)
    if config.loss == "mse":
        y, loss = distil(y, config.distillation)
        if labels is not None:
            classes = np.where(np.asarray(labels, dtype=np.float64) > 0, 1.0, -1.0)
            if classes.shape != y.shape:
                raise InputError(f"There must be one label for each of {len(y)} rows; got {classes.shape}.")
    spec = SearchSpec(
        names,
        max_complexity=config.max_complexity,
        parsimony=config.parsimony,
        loss=loss,
        budget=Budget(config.evaluations),
    )
    _, of_cell = np.unique(np.arange(len(y)) if cells is None else cells, return_inverse=True)
    return _Problem(x, y, classes, of_cell, spec)


def _search(
    engine: Engine,
    problem: _Problem,
    config: LawConfig,
    monitor: Monitor,
    known: Sequence[dict[str, Any]],
    keep: Keep | None,
) -> list[SearchResult]:
    seeds = np.random.SeedSequence(config.seed).generate_state(config.count)
    specs = [replace(problem.spec, seed=int(seed) % 2**31) for seed in seeds]
    before = [SearchResult.from_json(values, problem.spec.variables) for values in known]

    def search(engine: Engine) -> list[SearchResult]:
        done = {result.seed: result for result in before if result.engine == engine.name}
        if done:
            monitor.emit(Message(f"Going on: {len(done)} of {len(specs)} searches were finished before."))

        def finished(result: SearchResult) -> None:
            done[result.seed] = result
            if keep is not None:
                keep([one.to_json() for one in done.values()])

        found = search_restarts(
            engine, problem.x, problem.y, [spec for spec in specs if spec.seed not in done],
            processes=config.processes, monitor=monitor, keep=finished,
        )  # fmt: skip
        everything = {**done, **{result.seed: result for result in found}}
        return [everything[spec.seed] for spec in specs if spec.seed in everything]

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
    """The simplest of each restart that is as good as its best and new in shape, unless the restart got stuck;
    filled up from all fronts."""
    # A constant is no law.
    everyone = [[one for one in result.front if one.expression.variables()] for result in results]
    fronts = [
        (problem.as_good(front), result) for front, result in zip(everyone, results, strict=True) if front
    ]
    fronts.sort(key=lambda pair: (problem.cost(pair[0][0]), pair[0][0].text))
    accuracy = [problem.accuracy(min(good, key=problem.cost)) for good, _ in fronts]
    most, cells = max(accuracy, default=0.0), len(np.unique(problem.cells))
    least = most - max(STUCK, np.sqrt(most * (1 - most) / cells))  # less is chance where cells are few
    rest = [(one, result) for front, result in zip(everyone, results, strict=True) for one in front]
    rest.sort(key=lambda pair: (problem.cost(pair[0]), pair[0].text))
    chosen: dict[str, tuple[Candidate, SearchResult]] = {}
    for (good, result), own in zip(fronts, accuracy, strict=True):
        new = [candidate for candidate in good if skeleton(candidate.expression) not in chosen]
        if new and own >= least:
            chosen[skeleton(new[0].expression)] = new[0], result
    for candidate, result in rest:
        if len(chosen) < config.count:
            chosen.setdefault(skeleton(candidate.expression), (candidate, result))
    return list(chosen.values())[: config.count]


def _law(
    problem: _Problem,
    candidate: Candidate,
    result: SearchResult,
    validation: tuple[np.ndarray, np.ndarray] | None,
    refit_constants: bool,
) -> Law:
    kind, x, y = problem.spec.loss, problem.x, problem.y
    expression = candidate.expression
    if refit_constants:
        expression = refit(expression, x, y, kind)
    law = Law(expression, problem.spec.variables)
    metadata = {
        "loss_kind": kind,
        "loss": measured(expression, x, y, kind),
        "accuracy": law.accuracy(x, problem.classes),
        "complexity": problem.spec.complexity(expression),
        "size": expression.size,
        "engine": result.engine,
        "seed": result.seed,
        "evaluations": result.evaluations,
        "stopped_by": result.stopped_by,
        "rows": len(y),
        "undefined": law.undefined(x),
    }
    if validation is not None:
        metadata["validation_accuracy"] = law.accuracy(*validation)
        metadata["validation_undefined"] = law.undefined(validation[0])
    return replace(law, metadata=metadata)
