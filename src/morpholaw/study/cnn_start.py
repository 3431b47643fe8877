"""The encoder whose weights the CNNs of scheme 1 start from."""

from __future__ import annotations

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.vae import BetaTCVAE
from morpholaw.sample import sample_folder
from morpholaw.store import encoders
from morpholaw.store.study_folder import StudyFolder


def starts_from_study(folder: StudyFolder, config: ClassifierConfig) -> bool:
    """Return whether CNNs start from the study's own encoder, if its layout is theirs."""
    return config.start_from == "encoder" and folder.has_encoder


def starting_encoder(folder: StudyFolder, config: ClassifierConfig) -> BetaTCVAE | None:
    """Return the encoder that CNNs start from: the study's, or the shipped one where it has none.

    None where they start from random weights: by the settings, or because the encoder has another layout than they.
    """
    if config.start_from == "none":
        return None
    if starts_from_study(folder, config):
        encoder = encoders.of_study(folder)
    else:
        try:
            encoder = encoders.load(sample_folder() / "encoder")
        except InputError:  # the sample was not installed
            return None
    return encoder if CNNEnsemble(1, size=folder.crops.size).fits(encoder) else None
