"""Opening and comparison of a movie, its tracks and labels before anything is cut.

Contradictions are errors that suggest a remedy, unless the user insists (``force``). Doubtful facts and automatic
decisions are warnings. Nothing is written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from morpholaw.cells.frame_order import alternation
from morpholaw.cells.movie_cells import MovieCells
from morpholaw.cells.movie_formats.units import SAME_SIZE
from morpholaw.cells.movies import Movie, open_movie
from morpholaw.cells.pixel_check import DOUBTFUL
from morpholaw.cells.reader_process import read_apart
from morpholaw.cells.saturation import saturation_sentence
from morpholaw.cells.track_checks import axes_seem_exchanged
from morpholaw.cells.track_formats.frames import step_of
from morpholaw.cells.tracked_places import measured
from morpholaw.cells.tracker_masks import TrackerMasks
from morpholaw.cells.tracks import Tracks, open_tracks
from morpholaw.config import CropConfig
from morpholaw.display import counted, first_few
from morpholaw.errors import InputError
from morpholaw.events import Monitor

_NEAR_BORDER = 0.05  # share of positions that may be just outside the image
_FAR_OUTSIDE = 0.001  # share of positions that may be far outside the image


@dataclass(frozen=True)
class Comparison:
    """Disagreements between inputs.

    Attributes
    ----------
    doubts : tuple of str
        Doubtful or missing facts and automatic decisions, one sentence each.
    contradictions : tuple of str
        Facts that cannot all be true, each with a remedy.
    """

    doubts: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(self.doubts + other.doubts, self.contradictions + other.contradictions)

    def tell(self, monitor: Monitor, force: bool) -> None:
        """Emit doubts as warnings, and contradictions too if the user insists.

        Raises
        ------
        InputError
            For the first contradiction, unless ``force``.
        """
        for doubt in self.doubts:
            monitor.warn(doubt)
        for contradiction in self.contradictions:
            if not force:
                raise InputError(f"{contradiction} Use --force (force=True) to continue anyway.")
            monitor.warn(contradiction)


@dataclass(frozen=True)
class Inputs:
    """A movie and its tracks, opened and compared.

    Attributes
    ----------
    movie : Movie
        The movie.
    tracks : Tracks
        The tracks, in frames and pixels of the movie.
    comparison : Comparison
        Disagreements between the two.
    masks : TrackerMasks or None
        Masks from which the tracks were read, if there are any of the movie's size.
    """

    movie: Movie
    tracks: Tracks
    comparison: Comparison
    masks: TrackerMasks | None = None


def open_inputs(movie: Any, tracks: Any, config: CropConfig, name: str | None = None) -> Inputs:
    """Open a movie and its tracks, and compare their properties.

    Parameters
    ----------
    movie, tracks
        As for :meth:`morpholaw.Study.crop`.
    config : CropConfig
        Settings for channel, position, slice, frame offset, pixel size and ids.
    name : str, optional
        Name of the movie in messages and tables.

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        If one of them cannot be read.
    """
    opened = open_chosen_movie(movie, config, name)
    if tracks is None:
        raise InputError(
            f"The movie {opened.name} needs tracks; give a tracks file, a label stack or a table."
        )
    read = partial(
        open_tracks,
        tracks,
        movie_shape=opened.shape,
        movie_frames=opened.facts.frame_numbers,
        pixel_size=opened.pixel_size,
        ids=config.ids,
        frame_offset=config.frame_offset,
        frame_interval=config.frame_interval,
        movie_interval=opened.facts.frame_interval,
        swap_xy=config.swap_xy,
    )
    opened_tracks = read_apart(read, tracks)
    masks = TrackerMasks.of(tracks, opened_tracks.facts, opened.shape)
    return Inputs(opened, opened_tracks, compare(opened, opened_tracks, config), masks)


def open_chosen_movie(movie: Any, config: CropConfig, name: str | None = None) -> Movie:
    """Open a movie with the channel, position, slice and pixel size of the settings."""
    return open_movie(
        movie,
        name=name,
        pixel_size=config.pixel_size,
        channel=config.channel,
        position=config.position,
        z=config.z,
        axes=config.axes,
        apart=True,
    )


def compare(movie: Movie, tracks: Tracks, config: CropConfig) -> Comparison:
    """Compare the properties of a movie and its tracks: size, frames, scale and positions."""
    contradictions = [
        sentence
        for sentence in (
            _frame_shape(movie, config),
            _colours(movie),
            _frame_order(movie),
            _image_size(movie, tracks),
            _frames(movie, tracks),
            _positions(movie, tracks, config),
        )
        if sentence
    ]
    doubts = [*movie.facts.notes, *tracks.facts.notes]
    doubts += [sentence for sentence in (_scale(movie, tracks), _gaps(movie, tracks)) if sentence]
    return Comparison(tuple(doubts), tuple(contradictions))


def compare_pixels(cells: MovieCells) -> Comparison:
    """Compare tracked positions with the pixels of a few frames, and look for saturated cells in them.

    See :mod:`morpholaw.cells.pixel_check` and :mod:`morpholaw.cells.saturation`.
    """
    sentence = saturation_sentence(cells.saturated(), cells.movie.name)
    return _compare_places(cells) + Comparison((sentence,) if sentence else ())


def _compare_places(cells: MovieCells) -> Comparison:
    movie, findings = cells.movie, cells.look()
    if findings is None:
        return Comparison((f"The frames of {movie.name} that were checked are blank.",))
    if findings.fits and not findings.doubtful:
        return Comparison()
    # Imported only if something is wrong, because it loads scipy.ndimage.
    from morpholaw.cells.pixel_explanations import explain

    explanation = explain(findings, movie.frame, len(movie), cells.table, cells.side, cells.pixel_size)
    if explanation is not None and findings.enough:
        return Comparison(
            contradictions=(f"The tracks do not fit {movie.name}: {explanation.text}. {findings.sentence}",)
        )
    if explanation is not None:
        return Comparison((f"The tracks may not fit {movie.name}: {explanation.text}. {findings.sentence}",))
    if findings.fits and findings.some_lost and not findings.wrong and findings.share >= DOUBTFUL:
        return Comparison(
            (
                f"{len(findings.lost)} of the {findings.tracks} tracks of {movie.name} that were checked have no "
                f"visible cells at their positions ({first_few(map(str, findings.lost), 5)}), but the others do: they "
                "may belong to another movie. Look at them with morpholaw inspect, and remove those that do.",
            )
        )
    if findings.fits:
        return Comparison(
            (
                f"{findings.sentence} Real cells usually exceed {100 * DOUBTFUL:.0f} %: check with morpholaw "
                f"inspect that the tracks belong to {movie.name} and to these frames.",
            )
        )
    if findings.dark:
        return Comparison(
            (
                f"The tracked cells of {movie.name} are darker than their surroundings, as in bright field or an "
                "inverted image. Crops are cut unchanged, but models of fluorescent nuclei expect bright ones. "
                "Invert the movie if its nuclei should be bright.",
            )
        )
    return Comparison(
        contradictions=(
            f"The tracks do not fit {movie.name}: there are no cells at the tracked positions. {findings.sentence} "
            "Check that they belong to this movie, channel and scale; morpholaw inspect shows a frame with its tracks.",
        )
    )


def _frame_shape(movie: Movie, config: CropConfig) -> str:
    frames, height, width = movie.shape
    if min(height, width) >= config.size // 2:
        return ""
    return (
        f"{movie.name} was read as {frames} frames of {height} x {width} pixels, which are too small for a cell. Its "
        "axes seem to be in another order; name them with --axes, one letter each, such as yxt."
    )


def _colours(movie: Movie) -> str:
    if not movie.facts.colour_table:
        return ""
    return (
        f"{movie.name} has indexed colours: its pixels are numbers of colours, and larger numbers are not brighter. "
        "Save it as greyscale (in Fiji: Image > Type > RGB Color, then 8-bit), or export it again from the microscope."
    )


def _frame_order(movie: Movie) -> str:
    period = alternation(movie)
    if period == 1:
        return ""
    return (
        f"{movie.name} does not name its axes, and its frames are not in temporal order: each is more similar to the "
        f"one {period} frames later than to the next, as if {period} channels or slices alternated. Save it with named "
        "axes (in Fiji: Image > Hyperstacks > Stack to Hyperstack, with that many channels), or give --axes tyx if "
        "it is correct."
    )


def _image_size(movie: Movie, tracks: Tracks) -> str:
    size, (_, height, width) = tracks.facts.image_size, movie.shape
    if size is None or size == (height, width):
        return ""
    stated = f"The tracks ({tracks.facts.format}) belong to images of {size[0]} x {size[1]} pixels, but the frames of "
    stated += f"{movie.name} are {height} x {width}"
    if size == (width, height):
        return f"{stated}: rows and columns are exchanged in one of them. Name the movie's axes with --axes tyx or txy."
    factors = height / size[0], width / size[1]
    if abs(factors[0] / factors[1] - 1) < 0.02:
        if factors[0] > 1:
            how = f"a copy reduced {factors[0]:.3g} times"
        else:
            how = f"an image {1 / factors[0]:.3g} times as large"
        return f"{stated}. They seem to be made on {how}; give the movie they were made on, or track at full size."
    return f"{stated}. They belong to another movie or to a part of it; give the movie they were made on."


def _frames(movie: Movie, tracks: Tracks) -> str:
    facts, count = tracks.facts, len(movie)
    table = measured(tracks.table)
    first, last = int(table["t"].min()), int(table["t"].max())
    of_movie = f"{movie.name} has {counted(count, 'frame')} (0 to {count - 1})"
    if last >= count:
        span = f"The tracks span frames {first} to {last}, and {of_movie}"
        if last - first + 1 > count:
            return f"{span}. They belong to a longer movie, or their times are not frame numbers; give the whole movie."
        if first == 1 and last == count:
            return f"{span}. They seem to start at one; give --frame-offset -1."
        if last - first + 1 == count:
            return f"{span}. They seem to start at {first}; give --frame-offset -{first}."
        return (
            f"{span}. {int((table['t'] >= count).sum())} of {len(table)} positions are after its end; give the number "
            f"to add to their frames, such as --frame-offset -{first}, or the whole movie."
        )
    if (
        facts.frame_count is not None
        and facts.frame_count != count
        and facts.frame_numbering != "file numbers"
    ):
        return (
            f"The tracks ({facts.format}) belong to a movie of {counted(facts.frame_count, 'frame')}, but {of_movie}. "
            "One of them is a part of the other; give the movie that was tracked."
        )
    return ""


def _positions(movie: Movie, tracks: Tracks, config: CropConfig) -> str:
    _, height, width = movie.shape
    table = measured(tracks.table)
    y, x = table["y"].to_numpy(), table["x"].to_numpy()
    fractions = (y % 1 > 0) & (x % 1 > 0)
    if fractions.all() and len(table) > 2 and min(y.min(), x.min()) > 0 and max(y.max(), x.max()) < 1:
        return (
            f"All tracked positions are between 0 and 1, as fractions of the image; multiply y by {height} and x by "
            f"{width}, the size of {movie.name}."
        )
    beyond = np.maximum.reduce([-0.5 - y, y - (height - 0.5), -0.5 - x, x - (width - 0.5)])
    near, far = int((beyond > 0).sum()), int((beyond > config.size / 2).sum())
    if far <= _FAR_OUTSIDE * len(table) and near <= max(1, _NEAR_BORDER * len(table)):
        return ""
    sentence = (
        f"{near} of {len(table)} tracked positions are outside the {height} x {width} pixels of {movie.name} (y "
        f"{y.min():.0f} to {y.max():.0f}, x {x.min():.0f} to {x.max():.0f}): "
    )
    if axes_seem_exchanged(y, x, height, width):
        return sentence + "x and y seem to be exchanged; give --swap-xy."
    return (
        sentence
        + "they belong to another movie, to an image of another size, or are in another unit. Give the movie that was "
        "tracked, export the tracks again in its pixels, or state the pixel size with --pixel-size (pixel_size=...)."
    )


def _scale(movie: Movie, tracks: Tracks) -> str:
    stated, of_movie = tracks.facts.pixel_size, movie.pixel_size
    if stated is None or of_movie is None or abs(stated / of_movie - 1) <= SAME_SIZE:
        return ""
    origin = movie.facts.pixel_size_source or "the movie"
    return (
        f"The tracks ({tracks.facts.format}) state {stated:.4g} µm per pixel but {movie.name} {of_movie:.4g} "
        f"({origin}); the movie's value is used. State the correct one with --pixel-size (pixel_size=...)."
    )


def _gaps(movie: Movie, tracks: Tracks) -> str:
    numbers = movie.facts.frame_numbers
    if numbers is None or tracks.facts.frame_numbering == "file numbers":
        return ""
    missing = sorted({*range(numbers[0], numbers[-1] + 1, step_of(np.asarray(numbers)))} - {*numbers})
    if not missing:
        return ""
    return (
        f"The files of {movie.name} are numbered {numbers[0]} to {numbers[-1]} without {missing[0]}. Frames are "
        "counted without the missing ones; check that the tracks count them in the same way."
    )
