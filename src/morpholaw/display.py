"""Names of schemes and text of numbers, the same in the report, the panels, the command and the figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from statistics import fmean, stdev
from typing import Literal

MINUS = "\u2212"
ANOTHER = "another class"
"""What the law of one class among several tells that class from."""

Loss = Literal["hinge", "mse"]
LOSSES: tuple[Loss, ...] = ("hinge", "mse")
"""What the laws of scheme 4 are fitted with."""

MODELS = {
    1: "CNN + dense head",
    2: "β-TCVAE + dense head",
    3: "β-TCVAE + sparse head",
    4: "β-TCVAE + symbolic expression",
}
"""The models of each scheme as Table 1 of the paper lists them, in the order of their interpretability."""

TITLES = {1: "CNN", 2: "dense head", 3: "sparse head", 4: "law"}
"""What classifies in each scheme, in plain words."""

_SHORT = {1: "CNN", 2: "dense", 3: "sparse", 4: "law"}


def scheme_title(scheme: int, loss: str = "") -> str:
    """Return a scheme as a sentence names it: "scheme 2: dense head", "scheme 4: law (hinge)"."""
    return f"scheme {scheme}: {TITLES[scheme]}" + (f" ({loss})" if loss else "")


def scheme_models(scheme: int, loss: str = "", inputs: str = "latents") -> str:
    """Return what a scheme is made of, as in Table 1: "β-TCVAE + symbolic expression (hinge)".

    ``inputs`` is what schemes 2 to 4 read: shapes, or both latents and shapes, take the place of the encoder.
    """
    source = {"shapes": "shapes", "both": "β-TCVAE and shapes"}.get(inputs)
    model = MODELS[scheme].replace("β-TCVAE", source) if source else MODELS[scheme]
    return model + (f" ({loss})" if loss else "")


def scheme_short(scheme: int, loss: str = "") -> str:
    """Return a scheme in a word or two, for a column of a table: "3 sparse", "4 hinge"."""
    return f"{scheme} {loss or _SHORT[scheme]}"


def classifier_title(name: str) -> str:
    """Return a classifier's name as a heading: "scheme4-hinge" becomes "Scheme 4, hinge"; one's own names stay."""
    scheme, _, loss = name.partition("-")
    if not re.fullmatch("scheme[1-4]", scheme) or loss not in ("", *LOSSES):
        return name
    return scheme.replace("scheme", "Scheme ") + (f", {loss}" if loss else "")


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them: "a", "a and b", "a, b and c"."""
    words = list(names)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def capitalised(text: str) -> str:
    """Return text whose first letter is a capital, as a sentence or a heading begins."""
    return text[:1].upper() + text[1:]


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """Return a number with ``digits`` decimals and a true minus sign; "n/a" where it is not finite.

    A number that rounds to zero has no sign. ``sign`` puts a plus sign before positive numbers.
    """
    if not math.isfinite(value):
        return "n/a"
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits and a true minus sign; "n/a" where it is not finite."""
    return f"{value:.{digits}g}".replace("-", MINUS) if math.isfinite(value) else "n/a"


def correlation(value: float, sign: bool = False) -> str:
    """Return a correlation with two decimals; only a perfect one is displayed as 1.00."""
    if math.isfinite(value) and 0.99 < abs(value) < 1:
        value = math.copysign(0.99, value)
    return number(value, 2, sign)


def percent(share: float, digits: int = 1) -> str:
    """Return a share in [0, 1] in per cent, "97.0 %"; "n/a" where it is not finite.

    A share that is neither none nor all is not rounded to it: "less than 0.1 %", "more than 99.9 %".
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
    """Return a share with the ends of its interval, in per cent: "97.0 % (95.1 to 98.2)"."""
    return f"{percent(share, digits)} ({span(100 * low, 100 * high, digits)})"


def interval(value: float, low: float, high: float) -> str:
    """Return a number with the ends of its interval: "0.25 (0.21 to 0.30)"."""
    return f"{number(value)} ({span(low, high)})"


def span(low: float, high: float, digits: int = 2) -> str:
    """Return the ends of an interval: "0.21 to 0.30"."""
    return f"{number(low, digits)} to {number(high, digits)}"


def p_value(p: float) -> str:
    """Return a p value: "p = 0.03" with two significant digits, "p < 0.001" below that."""
    if not math.isfinite(p):
        return "p n/a"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def spread(values: Iterable[float], digits: int = 0) -> str:
    """Return "mean ± standard deviation" (n - 1), or the number alone where all values are the same."""
    numbers = [float(value) for value in values]
    if not numbers:
        return "n/a"
    if min(numbers) == max(numbers):
        return number(numbers[0], digits)
    return f"{number(fmean(numbers), digits)} ± {number(stdev(numbers), digits)}"
