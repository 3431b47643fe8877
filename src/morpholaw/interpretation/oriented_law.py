"""A law rewritten for latents with reversed signs, so that larger values mean what their names say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from morpholaw.interpretation.latent_names import split_sign
from morpholaw.models.expressions import Call, Constant, Expression, Variable
from morpholaw.models.law import Law


def law_in_words(law: Law, words: Mapping[str, str]) -> tuple[Law, dict[str, str]]:
    """Return a law over named quantities, and the names without signs.

    Parameters
    ----------
    law : Law
        Law over latents such as ``z1``.
    words : mapping
        Names of latents. ``{"z1": "−size"}`` means that the latent decreases with size.

    Returns
    -------
    law : Law
        The same law of the named quantities. In the example, its ``z1`` is minus the latent and stands for the size.
    names : dict
        Names of latents without signs, e.g. ``{"z1": "size"}``.
    """
    names = {latent: split_sign(word) for latent, word in words.items()}
    reversed_latents = frozenset(latent for latent, (_, sign) in names.items() if sign < 0)
    expression = _signed(*_extract_sign(law.expression, reversed_latents))
    return replace(law, expression=expression), {latent: name for latent, (name, _) in names.items()}


def rename(expression: Expression, names: Mapping[str, str]) -> Expression:
    """Return an expression with other names for its variables, such as "size (−z1)", for display only."""
    if isinstance(expression, Variable):
        return replace(expression, name=names.get(expression.name, expression.name))
    if isinstance(expression, Call):
        return replace(expression, operands=tuple(rename(one, names) for one in expression.operands))
    return expression


def _extract_sign(node: Expression, reversed_names: frozenset[str]) -> tuple[int, Expression]:
    """Return a sign and an expression whose product is the node after z -> -z for each of the names."""
    if isinstance(node, Variable):
        return (-1 if node.name in reversed_names else 1), node
    if not isinstance(node, Call):
        return 1, node
    operands = [_extract_sign(operand, reversed_names) for operand in node.operands]
    signs, parts = [sign for sign, _ in operands], [part for _, part in operands]
    if node.operator in ("*", "/"):
        return signs[0] * signs[1], Call(node.operator, (parts[0], parts[1]))
    if node.operator in ("+", "-"):
        return _sum(signs[0], parts[0], signs[1] if node.operator == "+" else -signs[1], parts[1])
    if node.operator in ("square", "abs"):
        return 1, Call(node.operator, (parts[0],))
    if node.operator == "sin":
        return signs[0], Call(node.operator, (parts[0],))
    return 1, Call(node.operator, tuple(map(_signed, signs, parts)))


def _sum(sign_a: int, a: Expression, sign_b: int, b: Expression) -> tuple[int, Expression]:
    """Return the sum of two signed expressions as one signed expression, with a minus sign only where needed."""
    if sign_a == sign_b:
        return sign_a, Call("+", (a, b))
    return (1, Call("-", (a, b))) if sign_a > 0 else (1, Call("-", (b, a)))


def _signed(sign: int, node: Expression) -> Expression:
    """Return sign * node as one expression. If the first factor is a constant, it absorbs the sign."""
    if sign > 0:
        return node
    if isinstance(node, Call) and node.operator in ("*", "/") and isinstance(node.operands[0], Constant):
        return Call(node.operator, (Constant(-node.operands[0].value), node.operands[1]))
    return Call("*", (Constant(-1.0), node))
