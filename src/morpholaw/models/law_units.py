"""Conversion of a law over standardised columns to a law over columns in units."""

from __future__ import annotations

from dataclasses import replace

from morpholaw.models.expressions import Call, Constant, Expression, Variable, simplify
from morpholaw.models.features import ModelColumns
from morpholaw.models.law import Law


def law_in_units(law: Law, columns: ModelColumns | None) -> Law:
    """Return a law with the same scores whose inputs are columns in units.

    Parameters
    ----------
    law : Law
        A law over standardised columns.
    columns : ModelColumns, optional
        How the columns were standardised; None for a law over latents, which have no unit.

    Returns
    -------
    Law
    """
    if columns is None:
        return law
    scales = {
        name: (centre, scale)
        for name, centre, scale in zip(columns.names, columns.centre, columns.scale, strict=True)
        if (centre, scale) != (0.0, 1.0)
    }
    return replace(law, expression=simplify(_in_units(law.expression, scales)))


def rule_in_units(law: Law, columns: ModelColumns | None, name: str) -> str:
    """Return where a law predicts its positive class, with the units of its inputs.

    Parameters
    ----------
    law : Law
        The law.
    columns : ModelColumns, optional
        Its input columns; None for a law over latents, which have no unit.
    name : str
        The positive class.

    Returns
    -------
    str
        Text such as "metaphase where 80.6 - area - 56 * roundness >= 0, area in µm²", with rounded constants.
    """
    features = () if columns is None else columns.features
    units = {one.name: one.unit for one in features if one.unit}
    stated = "".join(f", {one} in {units[one]}" for one in law.expression.variables() if one in units)
    return f"{name} where {law_in_units(law, columns).rounded()} >= 0{stated}"


def _in_units(node: Expression, scales: dict[str, tuple[float, float]]) -> Expression:
    if isinstance(node, Variable) and node.name in scales:
        centre, scale = scales[node.name]
        return Call("/", (Call("-", (node, Constant(centre))), Constant(scale)))
    if isinstance(node, Call):
        return replace(node, operands=tuple(_in_units(operand, scales) for operand in node.operands))
    return node
