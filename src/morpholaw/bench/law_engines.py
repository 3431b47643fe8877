"""Engines that search for laws from labels: the embedded engine, PySR, gplearn and pyoperon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from morpholaw.bench.known_laws import MAX_COMPLEXITY, NAMES, Data
from morpholaw.models.expressions import Call, Constant, Expression, Variable, simplify
from morpholaw.training.symbolic import Budget, Effort, SearchSpec, refit
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.pysr_engine import PySREngine


@dataclass(frozen=True)
class Found:
    """An expression found by an engine after ``seconds``, with its training loss."""

    seconds: float
    loss: float
    expression: Expression


def ours(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    """Search with the embedded engine, restarted every 300,000 evaluations until the time is up."""
    yield from _restarts(EmbeddedEngine(), data, seed, seconds)


def pysr(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    """Search with PySR and the same restarts."""
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
    """Search with gplearn and a hinge fitness, as in its documentation, restarted until the time is up."""
    from gplearn.fitness import make_fitness
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicRegressor

    def protected_exp(a: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            clipped: np.ndarray = np.clip(np.exp(a), -1e9, 1e9)
        return clipped

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


def _from_gplearn(program: list[Any]) -> Expression:
    """Convert gplearn's prefix list to a tree; its log and square root take the magnitude, which costs a node."""
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


def _gplearn_complexity(program: Any) -> int:
    return _from_gplearn(program.program).complexity()


def pyoperon(data: Data, seed: int, seconds: float) -> Iterator[Found]:
    """Search with pyoperon's regressor on the labels. It has no hinge loss, so constants are refitted for it here."""
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


def _from_operon(tree: Any, variables: dict[int, str]) -> Expression:
    """Convert Operon's postfix nodes, whose first operand comes last, to a tree."""
    names = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
    stack: list[Expression] = []
    for node in tree.Nodes:
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


def unavailable() -> dict[str, str]:
    """Return the engines that cannot run here, with the reason for each."""
    missing = {}
    if not PySREngine().availability().ready:
        missing["PySR"] = PySREngine().availability().reason
    for name, module in (("gplearn", "gplearn.genetic"), ("pyoperon", "pyoperon.sklearn")):
        try:
            import_module(module)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"
    return missing
