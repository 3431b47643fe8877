"""The scale of a study's crops and models in micrometres per pixel, and the resampling of movies to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from morpholaw.cells.crop_record import read_crop_record
from morpholaw.cells.cut_plan import SAME_SCALE
from morpholaw.cells.movies import Movie
from morpholaw.config import CropConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.sample import sample_folder
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.study_folder import StudyFolder


@dataclass(frozen=True)
class Scale:
    """Scale of crops or models.

    Attributes
    ----------
    pixel_size : float
        Micrometres per pixel.
    owner : str
        Description of the crops or models, for messages.
    """

    pixel_size: float
    owner: str

    def agrees(self, pixel_size: float) -> bool:
        """Return whether another pixel size is the same."""
        return abs(pixel_size / self.pixel_size - 1) <= SAME_SCALE

    def check(
        self, pixel_size: float | None, what: str, monitor: Monitor = SILENT, force: bool = False
    ) -> None:
        """Raise if a pixel size differs from the scale.

        Raises
        ------
        InputError
            If ``pixel_size`` differs, unless ``force`` is set. An unknown pixel size is only a warning.
        """
        if pixel_size is None:
            monitor.warn(
                f"The pixel size of {what} is unknown, and that of {self.owner} is {self.pixel_size:.4g} µm; state "
                "it (pixel_size) when you cut or import the crops."
            )
        elif not self.agrees(pixel_size):
            sentence = (
                f"The pixel size of {what} is {pixel_size:.4g} µm, but that of {self.owner} is {self.pixel_size:.4g} "
                "µm, so their cells differ in size. Resample them to the same scale first."
            )
            if not force:
                raise InputError(sentence)
            monitor.warn(sentence)


def study_scale(folder: StudyFolder) -> Scale | None:
    """Return the scale of a study's crops, or that of its encoder; None if neither is known."""
    return crop_scale(folder) or encoder_scale(folder)


def crop_scale(folder: StudyFolder) -> Scale | None:
    """Return the scale of a study's crops; None if it is unknown."""
    for crop_set in folder.sets:
        if crop_set.record.scale:
            return Scale(crop_set.record.scale, f"the crops of {folder.path}")
    return None


def shape_pixel_size(folder: StudyFolder) -> float | None:
    """Return the micrometres per pixel with which the shapes of a study's crops are measured.

    None, for pixels, if the scale of any crop set is unknown: an encoder from elsewhere shows nothing about the crops.
    """
    sizes = [crop_set.record.scale for crop_set in folder.sets]
    return sizes[0] if sizes and all(sizes) else None


def encoder_scale(folder: StudyFolder) -> Scale | None:
    """Return the scale of the crops that a study's encoder was trained on; None if it is unknown."""
    if not folder.has_encoder:
        return None
    return scale_of(folder.encoder_record, f"the encoder of {folder.path}")


def scale_of(record: EncoderRecord, owner: str) -> Scale | None:
    """Return the scale of the crops that an encoder was trained on; None if it is unknown."""
    size = record.pixel_size
    if size is None:
        sha256, shipped_size = _shipped()  # its record does not state it
        size = shipped_size if record.sha256 == sha256 else None
    return None if size is None else Scale(size, owner)


@cache
def _shipped() -> tuple[str, float | None]:
    """Return the fingerprint of the shipped encoder, and the scale of the crops that it was trained on."""
    record = EncoderRecord.read(sample_folder() / "encoder")
    return record.sha256, read_crop_record(sample_folder() / "labelled").scale


def model_scale(folder: StudyFolder) -> Scale | None:
    """Return the scale that a study's models expect: that of its encoder, or that of its crops."""
    return encoder_scale(folder) or study_scale(folder)


def at_scale(config: CropConfig, movie: Movie, scale: Scale | None, monitor: Monitor) -> CropConfig:
    """Return the settings that resample the cells of a movie to a scale.

    Raises
    ------
    InputError
        If the pixel size of the movie is unknown, or the settings state another scale, unless ``force`` is set.
    """
    size, target = movie.pixel_size, config.model_pixel_size
    if scale is None:
        if size is None and target is None:
            monitor.tell(
                f"The pixel size of {movie.name} is not known; state it with --pixel-size (pixel_size=...), so "
                "that its cells can be compared with those of movies at another scale."
            )
        return config
    if target is not None:
        scale.check(target, f"the crops of {movie.name}", monitor, config.force)
        return config
    if size is None:
        sentence = (
            f"The pixel size of {movie.name} is not known, and that of {scale.owner} is {scale.pixel_size:.4g} µm; "
            "state it with --pixel-size (pixel_size=...), so that its cells can be resampled to this scale."
        )
        if not config.force:
            raise InputError(sentence)
        monitor.warn(sentence)
        return config
    if not scale.agrees(size):
        monitor.tell(
            f"{movie.name} has {size:.4g} µm per pixel; its cells are resampled to the {scale.pixel_size:.4g} µm "
            f"per pixel of {scale.owner}."
        )
    return config.model_copy(update={"model_pixel_size": scale.pixel_size})
