"""Loading and saving of a study's encoder, and the latents of all crops."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import atomic_file
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.encoder_weights import remove_unread
from morpholaw.store.study_folder import StudyFolder

if TYPE_CHECKING:
    from morpholaw.models.vae import BetaTCVAE

# torch is imported when a network is opened, so that latents in the cache are read without it.


def load(path: Path | str) -> BetaTCVAE:
    """Load the encoder in the folder ``path`` in evaluation mode; InputError if it is missing or damaged."""
    from morpholaw.models.bundle import build_network, check_part_count, load_bundle
    from morpholaw.models.vae import BetaTCVAE

    tensors, description = load_bundle(path, "encoder")
    settings = EncoderRecord.parse(description, Path(path) / "model.json").settings.model_dump()
    return build_network(
        lambda: BetaTCVAE.from_settings(
            {**settings, "filters": check_part_count(settings["filters"], tensors)}
        ),
        tensors,
        path,
    )


def of_study(folder: StudyFolder) -> BetaTCVAE:
    """Load the encoder of a study; InputError if there is none."""
    if not folder.has_encoder:
        raise InputError(f"The study {folder.path} has no encoder yet; train or load one first.")
    return load(folder.path / "encoder")


def given_names(folder: StudyFolder, encoder: BetaTCVAE) -> dict[int, str]:
    """Return the names that were given to the latents of an encoder, which a later one may have replaced."""
    from morpholaw.models.bundle import have_same_weights, weights_digest

    tensors = encoder.state_dict()
    if not folder.has_encoder or have_same_weights(of_study(folder).state_dict(), tensors):
        return folder.latent_names
    return folder.latent_names_of(weights_digest(tensors))


def save(folder: StudyFolder, encoder: BetaTCVAE, record: EncoderRecord) -> EncoderRecord:
    """Save an encoder as that of the study, and return the record as saved.

    The weights of the previous encoder are kept as long as a classifier uses them.
    """
    from morpholaw.models.bundle import save_bundle

    place = folder.path / "encoder"
    save_bundle(place, encoder.state_dict(), record.description(), keep_old=True)
    remove_unread(folder.path)
    shutil.rmtree(folder.path / "latents", ignore_errors=True)
    return EncoderRecord.read(place)


def latents(folder: StudyFolder, monitor: Monitor = SILENT) -> tuple[np.ndarray, np.ndarray]:
    """Encode all crops of a study, or read the stored latents.

    Returns
    -------
    means, log_variances : ndarray, float32 (n, latents)
        Latents in the order of the study's crops; fewer rows if the step was cancelled.

    Raises
    ------
    InputError
        If the study has no crops or no encoder.
    """
    record = folder.encoder_record
    parts = [_of_set(folder, crop_set, record, monitor) for crop_set in folder.crops.sets]
    means, log_variances = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(log_variances)


def _of_set(
    folder: StudyFolder, crop_set: CropSet, record: EncoderRecord, monitor: Monitor
) -> tuple[np.ndarray, np.ndarray]:
    path = folder.path / "latents" / crop_set.name / f"{record.sha256[:16]}-{crop_set.fingerprint}.npy"
    both = _cached(path)
    if both is not None and both.shape == (2, len(crop_set), record.settings.latents):
        return both[0], both[1]
    from morpholaw.training.encoder import encode

    means, log_variances = encode(load(folder.path / "encoder"), crop_set.images, monitor=monitor)
    if len(means) == len(crop_set):
        # This is a cache: it does not matter if it cannot be written.
        with suppress(OSError), atomic_file(path) as stream:
            np.save(stream, np.stack([means, log_variances]), allow_pickle=False)
    return means, log_variances


def _cached(path: Path) -> np.ndarray | None:
    """Read an array from the cache; None if it is missing or cannot be read."""
    if not path.is_file():
        return None
    try:
        both = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # numpy raises various errors for damaged files
        return None
    return both if isinstance(both, np.ndarray) and both.dtype == np.float32 else None


def data_fingerprint(folder: StudyFolder) -> str:
    """Return a fingerprint of the study's crop sets, their pixels and their sources."""
    text = repr([_identity(crop_set) for crop_set in folder.sets])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _identity(crop_set: CropSet) -> tuple[str, str, list[dict[str, str]], dict[str, float | str] | None]:
    scale = crop_set.normalisation
    sources = [source.model_dump() for source in crop_set.record.sources]
    return crop_set.name, crop_set.fingerprint, sources, None if scale is None else scale.to_json()
