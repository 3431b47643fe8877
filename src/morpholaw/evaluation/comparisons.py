"""Comparison of durations and shares between conditions, with tests over replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.display import p_value
from morpholaw.evaluation.conditions import Conditions, GroupTest, compare_groups, holm, replicate_means
from morpholaw.evaluation.durations import Unit, common_limit, phase_survival, replicate_durations
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.phases import seen_to_begin
from morpholaw.evaluation.population import MITOTIC_INDEX
from morpholaw.evaluation.survival import log_rank

FEWEST = 5
"""Minimum number of phases with an observed end, in two conditions together, for a comparison of durations."""
ALL = "all"
"""The condition of a timeline without conditions."""


def compare_conditions(
    phases: pd.DataFrame,
    shares: pd.DataFrame,
    classes: Sequence[str],
    conditions: Conditions,
    unit: Unit,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every condition with the first one.

    Durations are averaged within replicates, up to the time to which they are known in every condition. Shares are
    averaged over the frames of a movie. If a condition has a single replicate, durations are compared with the log-rank
    test over phases, and shares are not tested.

    Parameters
    ----------
    phases : DataFrame
        Phases with the columns ``condition``, ``replicate`` and ``duration``.
    shares : DataFrame
        Shares of :func:`morpholaw.evaluation.population.class_shares`.
    classes : sequence of str
        Classes whose durations are compared.
    conditions : Conditions
        Condition and replicate of each movie.
    unit : Unit
        Unit of the durations.
    seed : int
        Seed of the permutations.

    Returns
    -------
    DataFrame
        One row per quantity and condition, with the columns ``quantity`` ("duration" or "share"), ``class``,
        ``condition``, ``reference``, ``value``, ``reference_value``, ``replicates``, ``reference_replicates``,
        ``difference``, ``low``, ``high`` (95 % confidence interval), ``effect`` (Hedges' g over replicates), ``p``,
        ``test``, ``p_holm`` (corrected for all rows), ``p_log_rank`` (over phases; durations only), ``unit`` and
        ``limit`` (longer durations count as this one; NaN if the ends of all phases are known).
    """
    rows = [*_duration_rows(phases, classes, conditions, unit, seed), *_share_rows(shares, conditions, seed)]
    table = pd.DataFrame(rows)
    if len(table):
        table["p_holm"] = holm(table["p"].to_numpy())
    return table


def _duration_rows(
    phases: pd.DataFrame, classes: Sequence[str], conditions: Conditions, unit: Unit, seed: int
) -> list[dict[str, object]]:
    reference, rows = conditions.names[0], []
    for name in classes:
        limit, restricted = common_limit(phases, name)
        means = replicate_durations(phases, name, limit)
        of = {c: means.loc[means["condition"] == c, "mean"].to_numpy(np.float64) for c in conditions.names}
        curves = {c: phase_survival(phases[phases["condition"] == c], name) for c in conditions.names}
        for condition in conditions.names[1:]:
            counts = [curves[reference].count, curves[condition].count]
            if 0 in counts or curves[reference].ended.sum() + curves[condition].ended.sum() < FEWEST:
                continue
            test = compare_groups(of[reference], of[condition], seed)
            p_cells = condition_log_rank(phases, name, (reference, condition))
            a, b = curves[reference].mean(limit), curves[condition].mean(limit)
            row = _row("duration", name, (reference, condition), of, test) | {
                "p_log_rank": p_cells,
                "unit": unit.name,
                "limit": limit if restricted else np.nan,
            }
            if not np.isfinite(test.p):  # a single replicate
                row |= {
                    "value": b.value,
                    "reference_value": a.value,
                    "p": p_cells,
                    "test": "log-rank over cells",
                }
                row |= _ends(_independent_difference(a, b))
            rows.append(row)
    return rows


def _share_rows(shares: pd.DataFrame, conditions: Conditions, seed: int) -> list[dict[str, object]]:
    reference, rows = conditions.names[0], []
    names = list(dict.fromkeys(shares["class"]))
    if MITOTIC_INDEX in names and len(names) == 3:  # with two classes, the index is one of the shares
        names = [MITOTIC_INDEX]
    for name in names:
        mine = shares[shares["class"] == name]
        movie = mine.groupby("movie", sort=False)[["count", "cells"]].sum()
        share = (movie["count"] / movie["cells"]).reset_index(name="share")
        of = replicate_means(share["share"], share["movie"], conditions)
        for condition in conditions.names[1:]:
            test = compare_groups(of[reference], of[condition], seed)
            rows.append(_row("share", name, (reference, condition), of, test))
    return rows


def _row(
    quantity: str, name: str, conditions: tuple[str, str], of: Mapping[str, np.ndarray], test: GroupTest
) -> dict[str, object]:
    """Return the row for a comparison of two conditions, the reference first, by the values of their replicates."""
    reference, condition = (of[one] for one in conditions)
    return {
        "quantity": quantity,
        "class": name,
        "condition": conditions[1],
        "reference": conditions[0],
        "value": float(condition.mean()) if len(condition) else np.nan,
        "reference_value": float(reference.mean()) if len(reference) else np.nan,
        "replicates": len(condition),
        "reference_replicates": len(reference),
        **_ends(test.difference),
        "effect": test.effect,
        "p": test.p,
        "test": test.test,
        "p_log_rank": np.nan,
        "unit": "share of cells",
        "limit": np.nan,
    }


def _ends(difference: Estimate) -> dict[str, float]:
    return {"difference": difference.value, "low": difference.low, "high": difference.high}


def difference_text(row: Mapping[str, Any]) -> str:
    """Return the difference in a row of :func:`compare_conditions` as text.

    For example "+9.9 min (9.1 to 10.8), p = 0.029, permutation".

    Parameters
    ----------
    row : mapping
        The row.

    Returns
    -------
    str
        The text.
    """
    ends = f" ({row['low']:.3g} to {row['high']:.3g})" if np.isfinite(row["low"]) else ""
    return f"{row['difference']:+.3g} {row['unit']}{ends}{limit_text(row)}, {significance_text(row)}"


def limit_text(row: Mapping[str, Any]) -> str:
    """Return how long a phase counts at most in a row of :func:`compare_conditions`; "" if there is no limit.

    Parameters
    ----------
    row : mapping
        The row.

    Returns
    -------
    str
        Text such as ", phases longer than 45 min counted as such".
    """
    limit = row.get("limit", np.nan)  # timelines of earlier versions have none
    return f", phases longer than {limit:.3g} {row['unit']} counted as such" if np.isfinite(limit) else ""


def significance_text(row: Mapping[str, Any]) -> str:
    """Return the p value and the test of a row of :func:`compare_conditions`, or why there is no test.

    Parameters
    ----------
    row : mapping
        The row.

    Returns
    -------
    str
        Text such as "p = 0.029, permutation".
    """
    if np.isfinite(row["p"]):
        return f"{p_value(float(row['p']))}, {row['test']}"
    alone = min(row["replicates"], row["reference_replicates"]) < 2
    return f"not tested, because {'a condition has one replicate' if alone else 'replicates do not vary'}"


def condition_log_rank(phases: pd.DataFrame, name: str, conditions: Sequence[str]) -> float:
    """Return the p value of the log-rank test between conditions, over phases of a class with observed beginning.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.
    conditions : sequence of str
        The conditions.
    """
    selected = seen_to_begin(phases, name)
    groups = [selected[selected["condition"] == condition] for condition in conditions]
    return log_rank(
        [group["duration"].to_numpy() for group in groups],
        [~group["right_censored"].to_numpy(bool) for group in groups],
    )


def _independent_difference(a: Estimate, b: Estimate) -> Estimate:
    """Return b - a with its 95 % confidence interval, from the intervals of both."""
    half = float(np.hypot(b.high - b.value, a.high - a.value))
    value = b.value - a.value
    return Estimate(value, value - half, value + half)
