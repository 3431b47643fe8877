"""Known laws of the paper's kind, and the engines that look for them: ours and what a user could install today.

Two laws, 7200 noisy, balanced rows of four standard normal latents, scored on 20,000 fresh rows. The goal is the
true law's accuracy at its best threshold, less half a point, at complexity 20 or less (paper, B.4).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from morpholaw.models.expressions import Call, Constant, Expression, Variable, simplify
from morpholaw.training.symbolic import Budget, Effort, SearchSpec, refit
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.pysr_engine import PySREngine

NAMES = ("z3", "z17", "z21", "z29")
MAX_COMPLEXITY = 20
NOISE = 0.2


def law_a(z: np.ndarray) -> np.ndarray:
    """z29 (z17^2 + z21^2) - e^(e^z3), the paper's H1."""
    return z[:, 3] * (z[:, 1] ** 2 + z[:, 2] ** 2) - np.exp(np.exp(z[:, 0]))


def law_b(z: np.ndarray) -> np.ndarray:
    """(z29 - z3) (|z17| + z21^2) - 2.88, the paper's H3."""
    return (z[:, 3] - z[:, 0]) * (np.abs(z[:, 1]) + z[:, 2] ** 2) - 2.88


LAWS = {"A": law_a, "B": law_b}


@dataclass(frozen=True)
class Data:
    """Training and test rows of a known law, and the accuracy that counts as having found it."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    goal: float

    def accuracy(self, expression: Expression) -> float:
        return float(np.mean((expression.evaluate(self.test_x) >= 0) == (self.test_y > 0)))


def make_data(
    law: Callable[[np.ndarray], np.ndarray], seed: int = 1, train: int = 7200, test: int = 20_000
) -> Data:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((600_000, 4))
    f = law(z)
    positive = f + NOISE * rng.standard_normal(len(z)) >= 0
    half = (train + test) // 2
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(side), half, replace=False) for side in (positive, ~positive)]
    )
    rng.shuffle(rows)
    y = np.where(positive, 1.0, -1.0)
    fit, new = rows[:train], rows[train:]
    goal = _accuracy_at_best_threshold(f[fit], y[fit], f[new], y[new]) - 0.005
    return Data(z[fit], y[fit], z[new], y[new], goal)


def _accuracy_at_best_threshold(
    f: np.ndarray, y: np.ndarray, test_f: np.ndarray, test_y: np.ndarray
) -> float:
    order = np.argsort(f)
    right: np.ndarray = np.cumsum(y[order] < 0) + np.sum(y > 0) - np.cumsum(y[order] > 0)
    threshold = f[order][np.argmax(right)]
    return float(np.mean((test_f > threshold) == (test_y > 0)))


@dataclass(frozen=True)
class Found:
    """The best by training loss of what an engine has after ``seconds``."""

    seconds: float
    loss: float
    expression: Expression


def ours(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    """Restarts of 300,000 evaluations, until the time is up."""
    yield from _restarts(EmbeddedEngine(), data, seed, seconds)


def pysr(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    yield from _restarts(PySREngine(), data, seed, seconds)


def _restarts(engine: EmbeddedEngine | PySREngine, data: Data, seed: int, seconds: float) -> Iterator[Found]:
    began, restart = time.perf_counter(), 0
    while (left := seconds - (time.perf_counter() - began)) > 1:
        budget = Budget(300_000, max(left - 1, 0.5))
        result = engine.search(data.x, data.y, SearchSpec(NAMES, seed=1000 * restart + seed, budget=budget))
        restart += 1
        if result.front:
            best = result.front[-1]
            yield Found(time.perf_counter() - began, best.loss, best.expression)


def gplearn(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    """gplearn with a hinge fitness, as its documentation shows, restarted until the time is up."""
    from gplearn.fitness import make_fitness
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicRegressor

    def protected_exp(a: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.clip(np.exp(a), -1e9, 1e9)

    def hinge(y: np.ndarray, f: np.ndarray, w: np.ndarray) -> float:
        return float(np.mean(np.maximum(1 - y * f, 0)))

    functions = [
        "add", "sub", "mul", "div", "log", "sin", "sqrt", "abs",
        make_function(function=np.square, name="square", arity=1),
        make_function(function=protected_exp, name="exp", arity=1),
    ]  # fmt: skip
    began, restart = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        model = SymbolicRegressor(
            population_size=1000, generations=1, function_set=functions, parsimony_coefficient=0.001,
            metric=make_fitness(function=hinge, greater_is_better=False), random_state=1000 * restart + seed,
            warm_start=True,
        )  # fmt: skip
        restart += 1
        for generation in range(1, 41):
            model.set_params(generations=generation)
            model.fit(data.x, data.y)
            small = [
                p for p in model._programs[-1] if p is not None and _gplearn_complexity(p) <= MAX_COMPLEXITY
            ]
            if small:
                best = min(small, key=lambda p: p.raw_fitness_)
                expression = _from_gplearn(best.program)
                yield Found(time.perf_counter() - began, float(best.raw_fitness_), expression)
            if time.perf_counter() - began > seconds:
                return


_GPLEARN = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def _from_gplearn(program: list) -> Expression:
    """gplearn's prefix list as a tree; its log and square root are of the magnitude, which costs a node."""
    tokens = iter(program)

    def read() -> Expression:
        token = next(tokens)
        if isinstance(token, int):
            return Variable(NAMES[token], token)
        if isinstance(token, float):
            return Constant(float(token))
        operands = tuple(read() for _ in range(token.arity))
        if token.name in ("log", "sqrt"):
            operands = (Call("abs", operands),)
        return Call(_GPLEARN.get(token.name, token.name), operands)

    return read()


def _gplearn_complexity(program: object) -> int:
    return _from_gplearn(program.program).complexity()  # type: ignore[attr-defined]


def pyoperon(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    """pyoperon's regressor on the labels: it has no hinge, so its constants are refitted for one here."""
    from pyoperon.sklearn import SymbolicRegressor

    began, restart = time.perf_counter(), 0
    while (left := seconds - (time.perf_counter() - began)) > 2:
        model = SymbolicRegressor(
            allowed_symbols="add,sub,mul,div,square,exp,log,sin,sqrt,abs,constant,variable",
            objectives=["mse", "length"], max_length=MAX_COMPLEXITY, population_size=1000, pool_size=1000,
            max_evaluations=2_000_000, max_time=max(int(min(left, 25)), 1), n_threads=1,
            random_state=1000 * restart + seed,
        )  # fmt: skip
        restart += 1
        model.fit(np.ascontiguousarray(data.x), np.ascontiguousarray(data.y))
        for individual in model.pareto_front_:
            expression = simplify(_from_operon(individual["tree"], model.variables_))
            if expression.complexity() <= MAX_COMPLEXITY:
                expression = refit(expression, data.x, data.y, effort=Effort(simplex=False, steps=40))
                loss = float(np.mean(np.maximum(1 - data.y * expression.evaluate(data.x), 0)))
                yield Found(time.perf_counter() - began, loss, expression)


def _from_operon(tree: object, variables: dict[int, str]) -> Expression:
    """Operon's postfix nodes as a tree; the first operand stands last."""
    names = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
    stack: list[Expression] = []
    for node in tree.Nodes:  # type: ignore[attr-defined]
        if node.IsConstant:
            stack.append(Constant(float(node.Value)))
        elif node.IsVariable:
            column = int(variables[node.HashValue][1:]) - 1  # X1, X2, ...
            stack.append(Call("*", (Constant(float(node.Value)), Variable(NAMES[column], column))))
        else:
            operands = [stack.pop() for _ in range(node.Arity)]
            kind = str(node.Type).rsplit(".", 1)[-1]
            result = operands[0]
            for operand in operands[1:]:
                result = Call(names[kind], (result, operand))
            stack.append(result if len(operands) > 1 else Call(kind.lower(), (result,)))
    return stack[0]


ENGINES = {"morpholaw": ours, "PySR": pysr, "gplearn": gplearn, "pyoperon": pyoperon}


def available() -> dict[str, str]:
    """Why an engine is left out, for those that are."""
    missing = {}
    if not PySREngine().availability().ready:
        missing["PySR"] = PySREngine().availability().reason
    for name, module in (("gplearn", "gplearn.genetic"), ("pyoperon", "pyoperon.sklearn")):
        try:
            import_module(module)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"
    return missing
