"""Regularised evolution of forms on islands (after Cranmer 2023), up to scale and offset.

In each round, every island runs tournaments on a fresh batch of rows. A winner is mutated or two winners are crossed,
a worse child is accepted with a probability as in simulated annealing, and the oldest member is removed. Complexities
that are crowded have a penalty. Then all members are scored on all rows, the front enters the hall of fame, and islands
exchange members. Each island has its own maximum complexity, so that longer forms cannot crowd out short ones.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from morpholaw.events import ShouldStop, never
from morpholaw.models.expressions import parse, simplify
from morpholaw.training.symbolic.engine import SearchProgress, SearchSpec, StoppedBy
from morpholaw.training.symbolic.polish_front import affine
from morpholaw.training.symbolic.program import CODES, VARIABLE, Program, decode, depth, encode
from morpholaw.training.symbolic.scoring import Scorer
from morpholaw.training.symbolic.variation import Variation, fold, strip_affine

GUESS_MEMBERS = 6
"""Members of each island that are replaced by a guess and its mutants."""
AFFINE_COST = 4
"""Complexity that scale * g + offset adds to g: two operators and two constants."""


@dataclass(frozen=True)
class Settings:
    """Parameters of the evolution; the defaults are the best of a few tried on the two benchmark laws."""

    islands: int = 10
    lowest_cap: float = 0.45
    population: int = 32
    tournament: int = 8
    steps: int = 150
    batch: int = 512
    max_depth: int = 10
    crossover: float = 0.12
    optimise_child: float = 0.006
    optimise_member: float = 0.03
    crowding: float = 20.0
    from_hall: float = 0.05
    from_islands: float = 0.04


@dataclass(slots=True)
class Member:
    """A program on an island or in the hall of fame."""

    program: Program
    loss: float
    complexity: int


class Evolution:
    """An evolution, which is reproducible by its seed if it ends by evaluations and not by seconds or a stop.

    Parameters
    ----------
    x : ndarray
        Features (rows, variables).
    y : ndarray
        Targets (rows,).
    spec : SearchSpec
        Grammar, loss, maximum complexity, seed and budget.
    settings : Settings, optional
        Parameters of the evolution.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, spec: SearchSpec, settings: Settings | None = None
    ) -> None:
        self.spec, self.settings = spec, settings or Settings()
        self.rng, self.batch_rng = random.Random(spec.seed), np.random.default_rng(spec.seed)
        self.vary = Variation(spec, self.rng)
        self.all_rows = self.batch = Scorer(x, y, spec)
        self.cap = max(spec.max_complexity - AFFINE_COST, spec.variable_cost)
        lowest = max(round(self.settings.lowest_cap * self.cap), 1)
        self.caps = [int(cap) for cap in np.linspace(lowest, self.cap, self.settings.islands).round()]
        self.token_costs = [spec.costs.get(name, 1) for name in CODES]
        self.baseline = max(float(np.var(y)), 1e-12) if spec.loss == "mse" else 1.0
        self.frequency = np.ones(self.cap + 1)
        self.hall: dict[int, Member] = {}
        self.shown: tuple[Program, str] = ((), "")
        self.evaluations = 0
        self.stopped_by: StoppedBy = "budget"

    def run(
        self, progress: Callable[[SearchProgress], None] | None = None, should_stop: ShouldStop = never
    ) -> dict[int, Member]:
        """Search until the budget is used up; return the front of all forms, by complexity."""
        self.should_stop, self.began = should_stop, time.perf_counter()
        with np.errstate(all="ignore"):
            self.new_batch()
            islands = [self.new_island(cap) for cap in self.caps]
            self.settle_guesses(islands)
            for island in islands:
                self.remember(island)
            while not self.finished():
                self.new_batch()
                for island, cap in zip(islands, self.caps, strict=True):
                    self.evolve(island, cap)
                    if self.finished():
                        break
                else:
                    for island in islands:
                        self.remember(island)
                    self.migrate(islands)
                    self.frequency = 0.9 * self.frequency + 0.1
                if progress:
                    progress(self.progress())
        return self.hall

    def complexity(self, program: Program) -> int:
        """Return the complexity of a program with the costs of the search."""
        spec, costs = self.spec, self.token_costs
        return sum(
            spec.constant_cost if t.__class__ is float else spec.variable_cost if t >= VARIABLE else costs[t]
            for t in program
        )

    def cost(self, member: Member) -> float:
        """Return the loss plus the complexity penalty."""
        return member.loss / self.baseline + self.spec.parsimony * member.complexity

    def member(self, program: Program | None, cap: int) -> Member | None:
        """Return a program as an unscored member of an island, or None if it is too complex or too deep."""
        if program is None:
            return None
        program = strip_affine(program)
        complexity = self.complexity(program)
        if complexity > cap or depth(program) > self.settings.max_depth:
            return None
        return Member(program, math.inf, complexity)

    def score(self, member: Member) -> float:
        """Score a member on the batch, unless the program was already scored on it."""
        loss = self.seen.get(member.program)
        if loss is None:
            loss = self.seen[member.program] = self.batch.fit(member.program).loss
        member.loss = loss
        return loss

    def spent(self) -> int:
        """Return the number of evaluations so far."""
        on_batch = self.batch.evaluations if self.batch is not self.all_rows else 0
        return self.evaluations + self.all_rows.evaluations + on_batch

    def finished(self) -> bool:
        """Return whether the budget is used up or the search was stopped."""
        budget = self.spec.budget
        if self.should_stop():
            self.stopped_by = "cancel"
            return True
        late = budget.max_seconds is not None and time.perf_counter() - self.began > budget.max_seconds
        return late or (budget.max_evaluations is not None and self.spent() >= budget.max_evaluations)

    def progress(self) -> SearchProgress:
        """Return the progress; forms count as expressions with scale and offset."""
        front = tuple((m.complexity + AFFINE_COST, m.loss) for m in self.hall.values())
        best = min((loss for _, loss in front), default=math.inf)
        law, cost = self.law_so_far()
        return SearchProgress(self.spent(), time.perf_counter() - self.began, best, front, law, cost)

    def law_so_far(self) -> tuple[str, float]:
        """Return the form with the lowest cost, written with scale and offset, and its cost."""
        best = min(self.hall.values(), key=self.cost, default=None)
        if best is None:
            return "", math.inf
        if best.program != self.shown[0]:
            form = decode(best.program, self.spec.variables)
            law = simplify(affine(form, self.all_rows.projection(best.program)))
            rounded = law.with_constants([float(f"{value:.3g}") for value in law.constants()])
            self.shown = best.program, rounded.text()
        return self.shown[1], self.cost(best)

    def new_batch(self) -> None:
        """Draw the rows of the next round."""
        if self.batch is not self.all_rows:
            self.evaluations += self.batch.evaluations
        self.batch = self.all_rows.batch(self.settings.batch, self.batch_rng)
        self.seen: dict[Program, float] = {}

    def new_island(self, cap: int) -> list[Member]:
        """Return an island of random members with a complexity of at most ``cap``."""
        island: list[Member] = []
        while len(island) < self.settings.population:
            member = self.member(fold(self.vary.random_program(self.rng.randrange(1, 5))), cap)
            if member is None and cap < 5:
                member = self.member(self.vary.leaf(), cap)
            if member is not None:
                self.score(member)
                island.append(member)
        return island

    def settle_guesses(self, islands: list[list[Member]]) -> None:
        """Replace random members by the guesses and as many mutants of each, where the island's cap allows it."""
        for text in self.spec.guesses:
            guess = encode(parse(text, self.spec.variables))
            for island, cap in zip(islands, self.caps, strict=True):
                for place in range(min(GUESS_MEMBERS, len(island))):
                    program = guess if place == 0 else self.vary.mutate(guess, 1.0)
                    member = self.member(program, cap)
                    if member is not None and self.score(member) < math.inf:
                        island.pop(0)
                        island.append(member)

    def evolve(self, island: list[Member], cap: int) -> None:
        """Run one round of mutations and crossovers on an island."""
        for member in island:
            self.score(member)
        steps = self.settings.steps
        share = (self.frequency / self.frequency.sum()).tolist()
        self.crowd = [math.exp(min(self.settings.crowding * s, 50.0)) for s in share]
        for step in range(steps):
            if step % 16 == 0 and self.finished():
                return
            if self.rng.random() < self.settings.crossover:
                a, b = self.winner(island).program, self.winner(island).program
                for program in self.vary.cross(a, b):
                    child = self.member(program, cap)
                    if child is not None and self.score(child) < math.inf:
                        self.accept(island, child)
            else:
                self.mutate(island, cap, 1 - step / steps, share)
        for member in island:
            program = fold(member.program)
            if self.rng.random() < self.settings.optimise_member:
                program = self.batch.optimise(program, 8)
            member.program, member.complexity = program, self.complexity(program)

    def mutate(self, island: list[Member], cap: int, temperature: float, share: list[float]) -> None:
        """Mutate the winner of a tournament; a worse child is accepted at random, as in simulated annealing."""
        parent = self.winner(island)
        for _ in range(5):
            child = self.member(self.vary.mutate(parent.program, temperature), cap)
            if child is not None:
                break
        else:
            return
        if self.rng.random() < self.settings.optimise_child:
            child.program = self.batch.optimise(child.program, 6)
        if self.score(child) == math.inf:
            return
        if child.complexity > parent.complexity and abs(child.loss - parent.loss) <= 1e-6 * parent.loss:
            return  # the same function, only longer
        worse = self.cost(child) - self.cost(parent)
        if worse > 0:
            chance = (
                math.exp(-worse / (0.1 * temperature + 1e-3))
                * share[parent.complexity]
                / share[child.complexity]
            )
            if self.rng.random() > chance:
                return
        self.accept(island, child)

    def accept(self, island: list[Member], child: Member) -> None:
        """Add a child to an island and remove the oldest member."""
        self.frequency[child.complexity] += 1
        island.pop(0)
        island.append(child)

    def winner(self, island: list[Member]) -> Member:
        """Return the best of a few random members, with a penalty for crowded complexities."""
        crowd = self.crowd
        return min(
            self.rng.sample(island, self.settings.tournament),
            key=lambda m: self.cost(m) * crowd[m.complexity],
        )

    def remember(self, island: list[Member]) -> None:
        """Score an island on all rows; the best of each complexity enter the hall of fame with optimised constants."""
        new = set()
        for member in island:
            member.loss = self.all_rows.fit(member.program).loss
            if self.enter(member):
                new.add(member.complexity)
        for complexity in sorted(new & self.hall.keys()):
            if complexity not in self.hall:  # beaten by a member whose constants were just optimised
                continue
            program = fold(self.all_rows.optimise(self.hall[complexity].program, 12))
            better = Member(program, self.all_rows.fit(program).loss, self.complexity(program))
            self.enter(better)

    def enter(self, member: Member) -> bool:
        """Add a member to the hall of fame unless another one beats it; remove those that it beats."""
        hall = self.hall.values()
        if not math.isfinite(member.loss) or any(
            m.complexity <= member.complexity and m.loss <= member.loss for m in hall
        ):
            return False
        for beaten in [m for m in hall if m.complexity >= member.complexity and m.loss >= member.loss]:
            del self.hall[beaten.complexity]
        self.hall[member.complexity] = Member(member.program, member.loss, member.complexity)
        return True

    def migrate(self, islands: list[list[Member]]) -> None:
        """Replace a few members by members of the hall of fame and by the best of all islands."""
        front = sorted(self.hall.values(), key=lambda m: m.complexity)
        best = [member for island in islands for member in sorted(island, key=self.cost)[:6]]
        for island, cap in zip(islands, self.caps, strict=True):
            for i in range(len(island)):
                draw = self.rng.random()
                if draw >= self.settings.from_hall + self.settings.from_islands:
                    continue
                source = self.rng.choice(front if draw < self.settings.from_hall else best)
                if source.complexity <= cap:
                    island[i] = Member(source.program, source.loss, source.complexity)
