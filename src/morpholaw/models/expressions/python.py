"""Conversion of expressions to Python source that needs only the standard library."""

from __future__ import annotations

import keyword
from collections.abc import Sequence

from morpholaw.errors import InputError
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

_INFIX = ("+", "-", "*")
_FUNCTIONS = {
    "/": """def divide(a, b):
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)
""",
    "exp": """def exp(a):
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf
""",
    "log": """def log(a):
    return math.log(a) if a > 0 else -math.inf if a == 0 else math.nan
""",
    "sqrt": """def sqrt(a):
    return math.sqrt(a) if a >= 0 else math.nan
""",
    "sin": """def sin(a):
    return math.sin(a) if math.isfinite(a) else math.nan
""",
    "min": """def minimum(a, b):
    return math.nan if a != a or b != b else min(a, b)
""",
    "max": """def maximum(a, b):
    return math.nan if a != a or b != b else max(a, b)
""",
    "square": """def square(a):
    return a * a
""",
}
"""Operators that return infinity or NaN as NumPy does, where Python's own functions raise."""
_NAMES = {"/": "divide", "min": "minimum", "max": "maximum"}


def to_python(
    expression: Expression,
    names: Sequence[str],
    function: str = "law",
    classes: tuple[str, str] = ("the negative class", "the positive class"),
    meaning: str = "",
) -> str:
    """Return the source of a Python function that computes an expression.

    Parameters
    ----------
    expression : Expression
        The expression to write.
    names : sequence of str
        Arguments of the function, in the order of the expression's columns.
    function : str
        Name of the function.
    classes : tuple of str
        Meaning of scores below 0 and of scores >= 0; written into the docstring, escaped.
    meaning : str
        Docstring that replaces the default one.

    Returns
    -------
    str
        Source that needs only the standard library and takes single numbers.

    Raises
    ------
    InputError
        If a name is not a valid Python name.
    """
    taken = {"math", "abs", "min", "max", *(_NAMES.get(key, key) for key in _FUNCTIONS)}
    for name in (function, *names):
        if not name.isidentifier() or keyword.iskeyword(name) or name in taken:
            raise InputError(f"{name!r} is not a valid name here; expected letters and digits such as z17.")
    if function in names:
        raise InputError(f"The function cannot be called {function!r}, because an argument has that name.")
    used = {node.operator for node in expression.nodes() if isinstance(node, Call)}
    parts = [_FUNCTIONS[name] for name in sorted(used & _FUNCTIONS.keys())]
    below, above = classes
    meaning = (
        meaning or f"Below 0: {below}; at 0 and above: {above}; neither where it is not a finite number."
    )
    parts.append(
        f"""def {function}({", ".join(names)}):
    {meaning!a}
    return {_source(expression)}
"""
    )
    return "\n\n".join((["import math\n"] if any("math." in part for part in parts[:-1]) else []) + parts)


def _source(node: Expression) -> str:
    if isinstance(node, Constant):
        return f"({node.value!r})" if node.value < 0 else repr(node.value)
    if isinstance(node, Variable):
        return node.name
    assert isinstance(node, Call)
    operands = [_source(operand) for operand in node.operands]
    if node.operator in _INFIX:
        return f"({f' {node.operator} '.join(operands)})"
    return f"{_NAMES.get(node.operator, node.operator)}({', '.join(operands)})"
