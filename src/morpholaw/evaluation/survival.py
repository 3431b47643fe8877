"""Survival analysis of the durations of phases: Kaplan-Meier curves and the log-rank test.

Phases that had begun before the cell was first seen are left out. Phases that continued when the cell was last seen are
censored. The estimates are unbiased if cells are lost for reasons unrelated to the phase, such as the end of the movie.

Durations are measured in whole frames. A phase of length D is seen in D frames on average, but the number varies by
one. The share of phases seen in at least k frames is that of phases longer than D, averaged over D from k - 1 to k. It
is therefore placed at k - 1/2, and the curve is interpolated linearly between these points to obtain medians. Phases
shorter than a frame can be missed entirely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import TAILS, Estimate


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier survival curve.

    Attributes
    ----------
    time : ndarray, float64 (k,)
        Distinct durations, in ascending order.
    at_risk, ended : ndarray, int64 (k,)
        Number of phases of at least this duration, and number of phases that end at it.
    share : ndarray, float64 (k,)
        Share of phases that last longer than ``time``.
    low, high : ndarray, float64 (k,)
        95 % confidence interval of ``share`` (log-log transformed Greenwood).
    step : float
        Time between frames, in the unit of ``time``; 0 for durations that are not counted in frames.
    """

    time: np.ndarray
    at_risk: np.ndarray
    ended: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    step: float = 0.0

    @property
    def count(self) -> int:
        """Number of phases, including those whose end was not observed."""
        return int(self.at_risk[0]) if len(self.at_risk) else 0

    @property
    def median(self) -> Estimate:
        """Median duration with its 95 % confidence interval; NaN or infinity if the curve does not fall to one half."""
        value = self._crossing(self.share)
        return Estimate(value, self._crossing(self.low), self._crossing(self.high))

    def mean(self, limit: float | None = None) -> Estimate:
        """Compute the restricted mean duration with its 95 % confidence interval.

        Parameters
        ----------
        limit : float, optional
            Longer durations count as this one. The default is the longest observed duration, with which the mean is not
            restricted if the end of the longest phase was observed.

        Returns
        -------
        Estimate
            The mean duration. With fewer than two observed ends, the limits are NaN.
        """
        if not len(self.time):
            return Estimate(np.nan, np.nan, np.nan)
        limit = float(self.time[-1]) if limit is None else limit
        times = np.minimum(np.append(self.time, limit), limit)
        widths = np.diff(np.append(0.0, times))
        areas = np.append(1.0, self.share) * widths
        value = float(areas.sum())
        beyond = value - np.cumsum(areas)[:-1]  # area after each duration
        alive = self.at_risk - self.ended
        inside = (self.time < limit) & (alive > 0)
        variance = np.sum(
            beyond[inside] ** 2 * self.ended[inside] / (self.at_risk[inside] * alive[inside]),
            dtype=np.float64,
        )
        # Greenwood's variance of n observed durations is that of their mean with n instead of n - 1.
        ended = int(self.ended[self.time <= limit].sum())
        if ended < 2:
            return Estimate(value, float("nan"), float("nan"))
        half = float(special.stdtrit(ended - 1, TAILS[1]) * np.sqrt(variance * ended / (ended - 1)))
        return Estimate(value, max(0.0, value - half), value + half)

    def _crossing(self, share: np.ndarray) -> float:
        """Return the time at which a curve falls to one half: infinity if it stays above, NaN without phases."""
        if not len(self.time):
            return float("nan")
        below = np.flatnonzero(share <= 0.5)
        if not len(below):
            return float("inf")
        place = int(below[0])
        if self.step <= 0:
            return float(self.time[place])
        before = 1.0 if place == 0 else float(share[place - 1])
        time = float(self.time[place])
        following = float(self.time[place + 1]) if place + 1 < len(self.time) else np.inf
        x0, x1 = time - self.step / 2, min(following, time + self.step) - self.step / 2
        if before <= 0.5 or before == share[place]:
            return x0
        return x0 + (before - 0.5) / (before - float(share[place])) * (x1 - x0)


def kaplan_meier(durations: np.ndarray, ended: np.ndarray, step: float = 0.0) -> Survival:
    """Estimate the distribution of durations by the Kaplan-Meier method.

    Parameters
    ----------
    durations : ndarray, (n,)
        Observed duration of each phase, in any unit of time.
    ended : ndarray, bool (n,)
        Whether the end of the phase was observed.
    step : float
        Time between frames, in the unit of the durations; 0 for exact durations.

    Returns
    -------
    Survival
        The survival curve.

    Raises
    ------
    InputError
        If the lengths differ, or a duration is negative or not finite.
    """
    durations, ended = _checked(durations, ended)
    time, place = np.unique(durations, return_inverse=True)
    events = np.bincount(place, weights=ended, minlength=len(time)).astype(np.int64)
    leaving = np.bincount(place, minlength=len(time))
    at_risk = len(durations) - np.append(0, np.cumsum(leaving)[:-1]) if len(time) else leaving
    alive = at_risk - events
    share = np.cumprod(alive / np.maximum(at_risk, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * alive))
        spread = special.ndtri(TAILS[1]) * np.sqrt(greenwood) / np.log(share)
        low, high = share ** np.exp(-spread), share ** np.exp(spread)
    certain = (share <= 0) | (share >= 1)
    low, high = np.where(certain, share, low), np.where(certain, share, high)
    # After the last end nothing is known, so the upper limit stays.
    reached_zero = share <= 0
    if reached_zero.any() and not reached_zero.all():
        high = np.where(reached_zero, high[~reached_zero][-1], high)
    return Survival(time, at_risk.astype(np.int64), events, share, low, np.maximum(high, low), step)


def log_rank(durations: Sequence[np.ndarray], ended: Sequence[np.ndarray]) -> float:
    """Compare the durations of groups of phases with the log-rank test.

    The test treats phases as independent. Between conditions, only replicates are independent.

    Parameters
    ----------
    durations : sequence of ndarray, (n_k,)
        Observed durations of the phases of each group.
    ended : sequence of ndarray, bool (n_k,)
        Whether the end of each phase was observed.

    Returns
    -------
    float
        The p value (chi-squared, groups - 1 degrees of freedom); NaN if there are fewer than two groups or no ends.
    """
    pairs = [_checked(d, e) for d, e in zip(durations, ended, strict=True)]
    pairs = [pair for pair in pairs if len(pair[0])]
    if len(pairs) < 2:
        return float("nan")
    time = np.unique(np.concatenate([d[e] for d, e in pairs]))
    if not len(time):
        return float("nan")
    at_risk = np.stack([len(d) - np.searchsorted(np.sort(d), time, side="left") for d, _ in pairs]).astype(
        float
    )
    events = np.stack([_counts(d[e], time) for d, e in pairs]).astype(float)
    n, total = at_risk.sum(0), events.sum(0)
    expected = at_risk * total / n
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(n > 1, total * (n - total) / (n - 1), 0.0)
    share = at_risk / n
    difference = (events - expected).sum(1)[:-1]
    covariance = np.einsum("t,it,ij->ij", weight, share, np.eye(len(pairs))) - np.einsum(
        "t,it,jt->ij", weight, share, share
    )
    covariance = covariance[:-1, :-1]
    if not np.any(covariance > 0):
        return float("nan")
    statistic = float(difference @ np.linalg.pinv(covariance) @ difference)
    return float(special.gammaincc((len(pairs) - 1) / 2, statistic / 2))


def _counts(values: np.ndarray, time: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(time, values), minlength=len(time))


def _checked(durations: np.ndarray, ended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, flags = np.asarray(durations, np.float64), np.asarray(ended, bool)
    if values.shape != flags.shape or values.ndim != 1:
        raise InputError(
            f"There are {values.size} durations and {flags.size} ends; expected one end for each."
        )
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise InputError("Durations must be finite numbers of 0 or more.")
    return values, flags
