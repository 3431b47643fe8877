"""The encoder with whose weights the CNNs of scheme 1 are initialised."""

from __future__ import annotations

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.vae import BetaTCVAE
from morpholaw.sample import sample_folder
from morpholaw.store import encoders
from morpholaw.store.study_folder import StudyFolder


def starts_from_study(folder: StudyFolder, config: ClassifierConfig) -> bool:
    """Return whether CNNs are initialised with the study's own encoder, provided that its layout is theirs."""
    return config.start_from == "encoder" and folder.has_encoder


def starting_encoder(folder: StudyFolder, config: ClassifierConfig) -> BetaTCVAE | None:
    """Return the encoder with which CNNs are initialised: the study's, or the shipped one if it has none.

    Returns None if they start from random weights, because of the settings or because the encoder has another layout.
    """
    if config.start_from == "none":
        return None
    if starts_from_study(folder, config):
        encoder = encoders.of_study(folder)
    else:
        try:
            encoder = encoders.load(sample_folder() / "encoder")
        except InputError:  # the sample is not installed
            return None
    return encoder if CNNEnsemble(1, size=folder.crops.size).fits(encoder) else None
