"""Summary of what each latent encodes: its activity, its correlations with measured shapes, and a suggested name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from morpholaw.display import correlation, listed
from morpholaw.errors import InputError
from morpholaw.interpretation.decoded_shapes import Decode, agreement
from morpholaw.interpretation.latent_names import (
    BOTH_ENDS,
    NEIGHBOURHOOD,
    SuggestedName,
    correlate,
    signed_name,
    split_sign,
    suggest_names,
)

SAMPLE = 2_000
"""Maximum number of crops in the sample, which determines a correlation to within 0.02."""
LEAST_KL = 0.05
"""Smallest mean KL divergence, in nats, of an active latent."""
LEAST_MENTIONED = 0.3
"""Smallest correlation with a shape that is mentioned for a latent without a name."""
MORPHOLOGY_SHARE = 0.2
"""Upper limit of the share of variance due to surroundings in a latent that describes the morphology of the cell."""


@dataclass(frozen=True)
class LatentSummary:
    """Summary of the latents of an encoder on a sample of cells.

    Attributes
    ----------
    ranking : DataFrame
        One row per latent, the most active first; see `rank_latents`.
    correlations : DataFrame
        One row per latent and measured shape; see `correlate`. Empty if no shape varies.
    suggestions : dict
        `SuggestedName` of each latent that correlates closely with a shape.
    median : ndarray, float32 (latents,)
        Latents of the median cell, from which traversals start. The mean of the prior may not look like a cell.
    cells : int
        Number of cells in the sample.
    surroundings : ndarray or None
        Share of each latent's variance that is due to the surroundings of the cell, float64 (latents,), measured by
        placing cells into other surroundings (:func:`morpholaw.interpretation.interventions.surroundings_share`).
    """

    ranking: pd.DataFrame
    correlations: pd.DataFrame
    suggestions: dict[int, SuggestedName]
    median: np.ndarray
    cells: int
    surroundings: np.ndarray | None = None

    @property
    def morphology(self) -> list[int]:
        """Active latents that describe the cell itself, with a share of variance below `MORPHOLOGY_SHARE`.

        They encode its shape and texture, but also its position in the crop. Empty if the share was not measured.
        """
        if self.surroundings is None:
            return []
        return sorted(k for k in self.active if self.surroundings[k] < MORPHOLOGY_SHARE)

    @property
    def active(self) -> list[int]:
        """Latents with a KL divergence of at least `LEAST_KL`, most active first."""
        return active_latents(self.ranking)

    @property
    def names(self) -> dict[int, str]:
        """Suggested names with their signs, e.g. {1: "−size"}."""
        return {latent: suggestion.signed for latent, suggestion in self.suggestions.items()}

    def words(self, given: Mapping[int, str] | None = None, directed: bool = False) -> dict[int, str]:
        """Return the given or suggested name of each latent that has one.

        Parameters
        ----------
        given : mapping, optional
            Names given by a person. A suggestion that equals the given name of another latent is numbered.
        directed : bool
            Leave out suggestions such as "size, both ends", because more of the latent is not more of the shape, so
            that they cannot replace it in a sentence or formula.

        Returns
        -------
        dict
            Name of each latent, with its sign. Names are unique if the given ones are.
        """
        words = {latent: word for latent, word in (given or {}).items() if word}
        given_names = {split_sign(word)[0] for word in words.values()}
        unnamed = {
            latent: one
            for latent, one in self.suggestions.items()
            if latent not in words and not (directed and BOTH_ENDS in one.name)
        }
        used = given_names | {one.name for one in unnamed.values()}
        for latent, suggestion in unnamed.items():
            name, number = suggestion.name, 1
            base = name.rstrip("0123456789").rstrip()
            if name in given_names:
                while name in used:
                    number += 1
                    name = f"{base} {number}"
                used.add(name)
            words[latent] = signed_name(name, suggestion.sign)
        return dict(sorted(words.items()))

    def unnamed(self, latents: Iterable[int]) -> str:
        """Describe latents without a name: "Without a name: z4, which correlates most with axis ratio (r = −0.50)."."""
        if self.correlations.empty:
            return ""
        clauses = [f"z{latent}, which correlates {self._closest(latent)}" for latent in latents]
        return f"Without a name: {listed(clauses)}." if clauses else ""

    def _closest(self, latent: int) -> str:
        row = self.strongest(latent).iloc[0]
        spearman, even = float(row["spearman"]), float(row["even"])
        shape = str(row["shape"]).replace("_", " ")
        if max(abs(spearman), abs(even)) < LEAST_MENTIONED:
            return "with no measured shape"
        if abs(spearman) >= abs(even):
            return f"most with {shape} (r = {correlation(spearman)})"
        return f"most with {shape} at {BOTH_ENDS} (r = {correlation(even)})"

    def strongest(self, latent: int) -> pd.DataFrame:
        """Return the row of the shape with the strongest correlation of either kind; no rows without shapes."""
        rows = self.correlations[self.correlations["latent"] == latent]
        order = rows[["spearman", "even"]].abs().max(axis=1).sort_values(ascending=False, kind="stable")
        return rows.loc[order.index[:1]]


def summarise_latents(
    means: np.ndarray,
    log_variances: np.ndarray,
    shapes: pd.DataFrame | None = None,
    surroundings: np.ndarray | None = None,
    decode: Decode | None = None,
) -> LatentSummary:
    """Summarise the latents of an encoder on a sample of cells.

    Parameters
    ----------
    means, log_variances : ndarray, (n, latents)
        Mean and log-variance of the encodings of the cells.
    shapes : DataFrame, optional
        Measured shapes or true factors, one row per cell. Without them, no names are suggested.
    surroundings : ndarray, (latents,), optional
        Share of each latent's variance that is due to the surroundings.
    decode : callable, optional
        The decoder. With it, a latent is named after a shape only if it changes this shape by itself.

    Returns
    -------
    LatentSummary
        Activity, correlations with the shapes, names with signs, and the median cell.

    Raises
    ------
    InputError
        If means, log-variances and shapes do not have the same number of rows.
    """
    ranking = rank_latents(means, log_variances)
    mu = np.asarray(means, dtype=np.float64)
    correlations = correlate(mu, pd.DataFrame(index=range(len(mu))) if shapes is None else shapes)
    median = np.median(mu, axis=0).astype(np.float32)
    confirm = None if decode is None else partial(agreement, decode, mu)
    names = _with_surroundings(suggest_names(correlations, confirm), surroundings)
    return LatentSummary(ranking, correlations, names, median, len(mu), surroundings)


def _with_surroundings(
    names: dict[int, SuggestedName], shares: np.ndarray | None
) -> dict[int, SuggestedName]:
    """Add "and surroundings" to the names of latents that depend on the surroundings of the cell as well."""
    if shares is None:
        return names
    return {
        latent: replace(one, name=f"{one.name} and surroundings")
        if shares[latent] >= MORPHOLOGY_SHARE and not one.name.startswith(NEIGHBOURHOOD)
        else one
        for latent, one in names.items()
    }


def evenly_spaced(count: int, most: int = SAMPLE) -> np.ndarray:
    """Return at most ``most`` indices, int64, evenly spaced over ``count`` cells."""
    if count < 1:
        return np.zeros(0, np.int64)
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def rank_latents(means: np.ndarray, log_variances: np.ndarray) -> pd.DataFrame:
    """Rank latents by the information that they carry about the cells.

    Parameters
    ----------
    means, log_variances : ndarray, (n, latents)
        Mean and log-variance of the encodings.

    Returns
    -------
    DataFrame
        One row per latent, most informative first, with the columns ``latent``, ``kl`` (mean over the cells of
        KL(q(z_j|x) || N(0, 1)), in nats, eq. 6), ``mean_variance`` (variance over the cells of the mean) and
        ``posterior_variance`` (mean over the cells of the variance). A latent that encodes nothing has a KL near 0, a
        mean variance near 0 and a posterior variance near 1.

    Raises
    ------
    InputError
        If the arrays do not have the same shape (n, latents).
    """
    mu, log_variance = np.asarray(means, np.float64), np.asarray(log_variances, np.float64)
    if mu.ndim != 2 or mu.shape != log_variance.shape:
        raise InputError(
            f"Means {mu.shape} and log-variances {log_variance.shape} must both have the shape (n, latents)."
        )
    divergence = 0.5 * (np.square(mu) + np.exp(log_variance) - log_variance - 1)
    table = pd.DataFrame(
        {
            "latent": np.arange(mu.shape[1]),
            "kl": divergence.mean(axis=0),
            "mean_variance": mu.var(axis=0),
            "posterior_variance": np.exp(log_variance).mean(axis=0),
        }
    )
    return table.sort_values("kl", ascending=False, kind="stable", ignore_index=True)


def active_latents(ranking: pd.DataFrame) -> list[int]:
    """Return the latents with a KL divergence of at least `LEAST_KL` nats, most informative first."""
    return [int(k) for k in ranking.loc[ranking["kl"] >= LEAST_KL, "latent"]]
