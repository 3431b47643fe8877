"""Which latents of a study's encoder heads and laws may read, and which an attack holds fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from morpholaw.errors import InputError
from morpholaw.interpretation.latent_summary import MORPHOLOGY_SHARE
from morpholaw.store.latent_sample import latent_sample
from morpholaw.store.study_folder import StudyFolder

if TYPE_CHECKING:
    from morpholaw.models.vae import BetaTCVAE


def readable_latents(
    folder: StudyFolder, encoder: BetaTCVAE, keep: Literal["all", "morphology"]
) -> tuple[int, ...]:
    """Return the latents that heads may read, rising; InputError where there are none."""
    return morphology_latents(folder, encoder) if keep == "morphology" else tuple(range(encoder.latents))


def morphology_latents(folder: StudyFolder, encoder: BetaTCVAE) -> tuple[int, ...]:
    """Return the latents that follow the cell whatever its surroundings, rising.

    They are found without labels, on crops of the study
    (:attr:`morpholaw.interpretation.latent_summary.LatentSummary.morphology`).

    Raises
    ------
    InputError
        When no latent is morphology.
    """
    found = latent_sample(folder, encoder).summary.morphology
    if not found:
        raise InputError(
            f"No latent is morphology: swapped surroundings account for {MORPHOLOGY_SHARE:.0%} or more of the variance "
            "of each; name the latents to keep, such as z3,z17, or keep all."
        )
    return tuple(found)
