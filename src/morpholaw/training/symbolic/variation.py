"""Random programs, their mutation and crossover (after PySR, Cranmer 2023)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np

from morpholaw.training.symbolic import program as codes
from morpholaw.training.symbolic.engine import SearchSpec
from morpholaw.training.symbolic.program import (
    ARITY,
    CODES,
    FIRST_UNARY,
    FUNCTIONS,
    VARIABLE,
    Program,
    constants,
    start,
)


class Variation:
    """Creates and varies programs of one grammar with one random number generator.

    Parameters
    ----------
    spec : SearchSpec
        The variables and operators of the grammar.
    rng : random.Random
        Source of randomness.
    """

    def __init__(self, spec: SearchSpec, rng: random.Random) -> None:
        self.rng = rng
        self.columns = len(spec.variables)
        self.binary = [CODES[name] for name in spec.binary]
        self.unary = [CODES[name] for name in spec.unary]
        self.mutations: tuple[tuple[float, Callable[[Program, float], Program | None]], ...] = (
            (0.12, self.change_constant),
            (0.11, self.change_operator),
            (0.08, self.change_variable),
            (0.03, self.swap_operands),
            (0.07, self.rotate),
            (0.13, lambda program, _: self.grow(program)),
            (0.20, self.insert),
            (0.16, self.delete),
            (0.06, self.replace_subtree),
            (0.04, lambda program, _: self.random_program(self.rng.randrange(1, 6))),
        )

    def leaf(self) -> Program:
        """Return a constant or, about twice as often, a variable."""
        if self.rng.random() < 0.3:
            return (self.rng.gauss(0, 1),)
        return (VARIABLE + self.rng.randrange(self.columns),)

    def random_program(self, operators: int) -> Program:
        """Return a random program with a given number of operators."""
        program = self.leaf()
        for _ in range(operators):
            program = self.grow(program)
        return program

    def mutate(self, program: Program, temperature: float) -> Program | None:
        """Return the program after one random change, or None if the change does not apply."""
        draw = self.rng.random()
        for share, mutation in self.mutations:
            draw -= share
            if draw < 0:
                return mutation(program, temperature)
        return None

    def cross(self, a: Program, b: Program) -> tuple[Program, Program]:
        """Exchange random subtrees of two programs."""
        end_a, end_b = self.rng.randrange(len(a)), self.rng.randrange(len(b))
        start_a, start_b = start(a, end_a), start(b, end_b)
        return (
            a[:start_a] + b[start_b : end_b + 1] + a[end_a + 1 :],
            b[:start_b] + a[start_a : end_a + 1] + b[end_b + 1 :],
        )

    def grow(self, program: Program) -> Program:
        """Replace a leaf by an operator."""
        leaves = [i for i, token in enumerate(program) if token.__class__ is float or token >= VARIABLE]
        i = self.rng.choice(leaves)
        if self.unary and (self.rng.random() < 0.4 or not self.binary):
            new = (*self.leaf(), self.rng.choice(self.unary))
        else:
            new = (*self.leaf(), *self.leaf(), self.rng.choice(self.binary))
        return program[:i] + new + program[i + 1 :]

    def change_constant(self, program: Program, temperature: float) -> Program | None:
        """Scale a constant, sometimes shift it, and rarely change its sign."""
        places = constants(program)
        if not places:
            return None
        i = self.rng.choice(places)
        factor = (1.1 + 0.8 * temperature) ** self.rng.uniform(-1, 1)
        value = program[i] * factor * (-1 if self.rng.random() < 0.02 else 1)
        if self.rng.random() < 0.1:
            value += self.rng.gauss(0, 0.1)
        return (*program[:i], float(value), *program[i + 1 :])

    def change_operator(self, program: Program, temperature: float) -> Program | None:
        """Replace an operator by another of the same arity."""
        places = _operators(program)
        if not places:
            return None
        i = self.rng.choice(places)
        same_arity = self.binary if program[i] < FIRST_UNARY else self.unary
        return (*program[:i], self.rng.choice(same_arity), *program[i + 1 :])

    def change_variable(self, program: Program, temperature: float) -> Program | None:
        """Replace a variable by another."""
        places = [i for i, token in enumerate(program) if token.__class__ is int and token >= VARIABLE]
        if not places:
            return None
        i = self.rng.choice(places)
        return (*program[:i], VARIABLE + self.rng.randrange(self.columns), *program[i + 1 :])

    def swap_operands(self, program: Program, temperature: float) -> Program | None:
        """Exchange the operands of a binary operator."""
        places = [i for i in _operators(program) if program[i] < FIRST_UNARY]
        if not places:
            return None
        i = self.rng.choice(places)
        second = start(program, i - 1)
        first = start(program, second - 1)
        return program[:first] + program[second:i] + program[first:second] + program[i:]

    def rotate(self, program: Program, temperature: float) -> Program | None:
        """Rotate (a + b) * c to a + (b * c), or the reverse, for any operators.

        Between sums this changes nothing, but a later change of an operator can turn the new brackets into a product.
        """
        places = [i for i in _operators(program) if program[i] < FIRST_UNARY]
        if len(places) < 2:
            return None
        i = self.rng.choice(places)
        right = start(program, i - 1)
        for j in self.rng.sample((right - 1, i - 1), 2):
            inner = program[j]
            if inner.__class__ is float or inner >= FIRST_UNARY:
                continue
            if j == right - 1:
                return program[:j] + program[right : i + 1] + (inner,) + program[i + 1 :]
            last = start(program, j - 1)
            return (*program[:last], program[i], *program[last:i], *program[i + 1 :])
        return None

    def insert(self, program: Program, temperature: float) -> Program:
        """Insert an operator, whose other operand is new, above a random subtree."""
        end = self.rng.randrange(len(program))
        begin = start(program, end)
        subtree: Program = program[begin : end + 1]
        if self.unary and (self.rng.random() < 0.35 or not self.binary):
            new: Program = (*subtree, self.rng.choice(self.unary))
        else:
            other = self.random_program(self.rng.choice((0, 0, 0, 1, 2, 3)))
            pair = subtree + other if self.rng.random() < 0.5 else other + subtree
            new = (*pair, self.rng.choice(self.binary))
        return program[:begin] + new + program[end + 1 :]

    def delete(self, program: Program, temperature: float) -> Program | None:
        """Replace an operator by one of its operands."""
        places = _operators(program)
        if not places:
            return None
        i = self.rng.choice(places)
        begin, second = start(program, i), start(program, i - 1)
        last = program[i] >= FIRST_UNARY or self.rng.random() < 0.5
        kept = program[second:i] if last else program[begin:second]
        return program[:begin] + kept + program[i + 1 :]

    def replace_subtree(self, program: Program, temperature: float) -> Program:
        """Replace a random subtree by a random program."""
        end = self.rng.randrange(len(program))
        return (
            program[: start(program, end)]
            + self.random_program(self.rng.randrange(1, 4))
            + program[end + 1 :]
        )


def _operators(program: Program) -> list[int]:
    return [i for i, token in enumerate(program) if token.__class__ is int and token < VARIABLE]


def fold(program: Program) -> Program:
    """Evaluate operators of constants if finite, and merge pairs of operators that equal a single one."""
    stack: list[Program] = []
    for token in program:
        if token.__class__ is float or token >= VARIABLE:
            stack.append((token,))
            continue
        arity = ARITY[token]
        below = stack[-arity:]
        del stack[-arity:]
        joined: Program = (*sum(below, ()), token)
        if arity == 1 and len(below[0]) > 1 and (shorter := _collapse(below[0], token)) is not None:
            joined = shorter
        elif all(len(part) == 1 and part[0].__class__ is float for part in below):
            with np.errstate(all="ignore"):
                value = float(FUNCTIONS[token](*(np.float64(part[0]) for part in below)))
            joined = (value,) if math.isfinite(value) else joined
        stack.append(joined)
    return stack[0]


def _collapse(inner: Program, outer: int) -> Program | None:
    """Return an equivalent of ``outer`` applied to ``inner`` if one operator can replace the two."""
    match outer, inner[-1]:
        case (codes.ABS, codes.ABS | codes.SQUARE | codes.SQRT | codes.EXP):
            return inner
        case (codes.SQUARE, codes.ABS):
            return (*inner[:-1], codes.SQUARE)
        case (codes.SQRT, codes.SQUARE):
            return (*inner[:-1], codes.ABS)
    return None


def strip_affine(program: Program) -> Program:
    """Return the program without its outermost scale and offset, which projection computes anyway."""
    while len(program) >= 3:
        operator = program[-1]
        if operator.__class__ is not int or operator not in (codes.ADD, codes.SUB, codes.MUL, codes.DIV):
            break
        if program[-2].__class__ is float and (operator != codes.DIV or program[-2] != 0):
            program = program[:-2]
        elif (
            operator != codes.DIV and program[0].__class__ is float and start(program, len(program) - 2) == 1
        ):
            program = program[1:-1]
        else:
            break
    return program
