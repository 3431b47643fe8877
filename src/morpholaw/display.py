"""Display of scheme names and numbers, the same in the report, the panels, the command and the figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from statistics import fmean, stdev
from typing import Literal

MINUS = "\u2212"
ANOTHER = "another class"
"""The alternative in the law of one class among several."""

Loss = Literal["hinge", "mse"]
LOSSES: tuple[Loss, ...] = ("hinge", "mse")
"""Losses of scheme 4 laws."""

MODELS = {
    1: "CNN + dense head",
    2: "β-TCVAE + dense head",
    3: "β-TCVAE + sparse head",
    4: "β-TCVAE + symbolic expression",
}
"""Models of each scheme as in Table 1 of the paper, in order of interpretability."""

TITLES = {1: "CNN", 2: "dense head", 3: "sparse head", 4: "law"}
"""Short names of the models of each scheme."""

_SHORT = {1: "CNN", 2: "dense", 3: "sparse", 4: "law"}


def scheme_title(scheme: int, loss: str = "") -> str:
    """Return the name of a scheme for a sentence: "scheme 2: dense head", "scheme 4: law (hinge)"."""
    return f"scheme {scheme}: {TITLES[scheme]}" + (f" ({loss})" if loss else "")


def scheme_models(scheme: int, loss: str = "", inputs: str = "latents") -> str:
    """Return the models of a scheme as in Table 1: "β-TCVAE + symbolic expression (hinge)".

    ``inputs`` of schemes 2 to 4 other than latents replace the encoder: shapes, or both latents and shapes.
    """
    source = {"shapes": "shapes", "both": "β-TCVAE and shapes"}.get(inputs)
    model = MODELS[scheme].replace("β-TCVAE", source) if source else MODELS[scheme]
    return model + (f" ({loss})" if loss else "")


def scheme_short(scheme: int, loss: str = "") -> str:
    """Return a short name of a scheme for a table column: "3 sparse", "4 hinge"."""
    return f"{scheme} {loss or _SHORT[scheme]}"


def classifier_title(name: str) -> str:
    """Return a classifier's name as a heading: "Scheme 4, hinge" for "scheme4-hinge"; other names are unchanged."""
    scheme, _, loss = name.partition("-")
    if not re.fullmatch("scheme[1-4]", scheme) or loss not in ("", *LOSSES):
        return name
    return scheme.replace("scheme", "Scheme ") + (f", {loss}" if loss else "")


def classifier_name(classifier: str) -> str:
    """Return a classifier's name for the middle of a sentence: scheme2, but "measured" in quotes, as it is a word."""
    return classifier if classifier != classifier_title(classifier) else f'"{classifier}"'


def listed(names: Iterable[str]) -> str:
    """Join names for a sentence: "a", "a and b", "a, b and c"."""
    words = list(names)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def first_few(things: Iterable[object], most: int) -> str:
    """Return the first ``most`` of some things, separated by commas, with "..." if there are more: "1, 2, 3, ..."."""
    texts = [str(one) for one in things]
    return ", ".join(texts[:most]) + (", ..." if len(texts) > most else "")


def counted(count: int, one: str, several: str = "") -> str:
    """Return a number of things, in the plural unless it is one: "1 node", "1,200 cells", "1 track has".

    ``several`` is needed where the plural is not ``one`` with an s, as with a verb: ("track has", "tracks have").
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def capitalised(text: str) -> str:
    """Return text with a capital first letter, for the beginning of a sentence or heading."""
    return text[:1].upper() + text[1:]


def in_print(formula: str) -> str:
    """Return a formula as in a book: "1.83 z1 − z2 ≥ 0" for "1.83 * z1 - z2 >= 0"."""
    for code, symbol in ((" * ", " "), ("-", MINUS), (">=", "≥"), ("<=", "≤")):
        formula = formula.replace(code, symbol)
    return formula


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """Format a number with ``digits`` decimals and a true minus sign; "n/a" if it is not finite.

    A number that rounds to zero has no sign. With ``sign``, positive numbers have a plus sign.
    """
    if not math.isfinite(value):
        return "n/a"
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """Format a number with ``digits`` significant digits and a true minus sign; "n/a" if it is not finite.

    Numbers below a million have no exponent: "1,060".
    """
    if not math.isfinite(value):
        return "n/a"
    text = f"{value:.{digits}g}"
    if "e+" in text and abs(float(text)) < 1e6:
        text = f"{float(text):,.0f}"
    return text.replace("-", MINUS)


def correlation(value: float, sign: bool = False) -> str:
    """Format a correlation with two decimals; only a perfect one is displayed as 1.00."""
    if math.isfinite(value) and 0.99 < abs(value) < 1:
        value = math.copysign(0.99, value)
    return number(value, 2, sign)


def percent(share: float, digits: int = 1) -> str:
    """Format a share in [0, 1] as a percentage, "97.0 %"; "n/a" if it is not finite.

    Shares that would round to 0 or 100 % are displayed as "less than 0.1 %" or "more than 99.9 %".
    """
    if not math.isfinite(share):
        return "n/a"
    text, least = f"{100 * share:.{digits}f}", 10**-digits
    if share > 0 and float(text) == 0:
        return f"less than {least:.{digits}f} %"
    if share < 1 and float(text) == 100:
        return f"more than {100 - least:.{digits}f} %"
    return f"{number(100 * share, digits)} %"


def percent_interval(share: float, low: float, high: float, digits: int = 1) -> str:
    """Format a share with its interval as percentages: "97.0 % (95.1 to 98.2)"."""
    return f"{percent(share, digits)} ({span(100 * low, 100 * high, digits)})"


def span(low: float, high: float, digits: int = 2) -> str:
    """Format the ends of an interval: "0.21 to 0.30"."""
    return f"{number(low, digits)} to {number(high, digits)}"


def p_value(p: float) -> str:
    """Format a p value with two significant digits, "p = 0.03", or as "p < 0.001"."""
    if not math.isfinite(p):
        return "p n/a"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def spread(values: Iterable[float], digits: int = 0) -> str:
    """Format values as "mean ± standard deviation" (n - 1), or as a single number if all are equal."""
    numbers = [float(value) for value in values]
    if not numbers:
        return "n/a"
    if min(numbers) == max(numbers):
        return number(numbers[0], digits)
    return f"{number(fmean(numbers), digits)} ± {number(stdev(numbers), digits)}"
