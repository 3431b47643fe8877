"""TrackMate XML: spots in physical units, and edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.lineage import linear_tracks
from morpholaw.cells.track_formats.warning import warn_tracks
from morpholaw.errors import InputError


@dataclass
class _Content:
    spots: list[tuple[int, int, float, float]] = field(default_factory=list)  # id, frame, y, x
    edges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # by TRACK_ID
    kept: set[str] | None = None  # the TRACK_IDs that passed the track filters
    image: dict[str, str] = field(default_factory=dict)
    is_trackmate: bool = False


def read_trackmate(path: Path, pixel_size: float | None = None) -> pd.DataFrame:
    """Read the tracks that TrackMate shows; see :func:`read_spots`, whose column ``spot`` is left out."""
    return read_spots(path, pixel_size).drop(columns="spot")


def read_spots(path: Path, pixel_size: float | None = None) -> pd.DataFrame:
    """Read filtered tracks and their visible spots, split at divisions, with each spot's own ID in ``spot``.

    Positions become pixels by the file's own pixel size, else by ``pixel_size`` (micrometres per pixel).

    Raises
    ------
    InputError
        The file is not TrackMate XML, declares entities, holds no spots, or states no pixel size.
    """
    content = _parse(path)
    if not content.is_trackmate:
        raise InputError(f"{path} is XML, but not a TrackMate file: a <TrackMate> element was expected.")
    if not content.spots:
        raise InputError(f"{path} holds no spots.")
    height, width = _pixel_sides(content.image, pixel_size, path)
    if _slices(content.image) > 1:
        warn_tracks(f"{path}: the tracks are 3D ({content.image['nslices']} slices); z is not used.")
    spots = pd.DataFrame(content.spots, columns=["spot", "t", "y", "x"])
    spots["y"] /= height
    spots["x"] /= width
    kept = content.edges if content.kept is None else content.edges.keys() & content.kept
    edges = np.array([edge for track in sorted(kept) for edge in content.edges[track]], np.int64).reshape(
        -1, 2
    )
    if len(edges):
        linked = spots["spot"].isin(edges.ravel())
        if not linked.all():
            warn_tracks(
                f"{path}: {(~linked).sum()} spots are in no track that TrackMate shows; they are left out."
            )
        spots = spots[linked]
    return linear_tracks(spots, edges, str(path))


def _parse(path: Path) -> _Content:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    content = _Content()
    track = ""
    try:
        for event, element in iterparse(path, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                content.is_trackmate |= element.tag == "TrackMate"
                if element.tag == "Track":
                    track = element.attrib["TRACK_ID"]
                    content.edges[track] = []
                continue
            _take(content, element, track)
            if element.tag in ("Spot", "SpotsInFrame", "Edge", "Track"):
                element.clear()  # a long movie has millions of spots, each with its outline
    except DefusedXmlException as error:
        raise InputError(f"{path} declares a document type or entities, which is not allowed.") from error
    except KeyError as error:
        raise InputError(f"{path} has a spot, edge or track without {error.args[0]}.") from error
    except (ParseError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise InputError(f"{path} is not valid XML ({error}); copy the file again.") from error
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path} has a spot or edge with a value that is not a number ({error}).") from error
    return content


def _take(content: _Content, element: Element, track: str) -> None:
    values = element.attrib
    if element.tag == "Spot":
        if float(values.get("VISIBILITY", 1)) > 0:
            t = int(float(values["FRAME"]))
            content.spots.append(
                (_number_of(values["ID"]), t, float(values["POSITION_Y"]), float(values["POSITION_X"]))
            )
    elif element.tag == "Edge":
        content.edges.setdefault(track, []).append(
            (_number_of(values["SPOT_SOURCE_ID"]), _number_of(values["SPOT_TARGET_ID"]))
        )
    elif element.tag == "FilteredTracks":
        content.kept = {child.attrib["TRACK_ID"] for child in element if child.tag == "TrackID"}
    elif element.tag == "ImageData":
        content.image = dict(values)


def _number_of(spot: str) -> int:
    """A spot's ID; OverflowError where it is beyond int64."""
    number = int(spot)
    if abs(number) >= 2**63:
        raise OverflowError(f"the ID {spot[:30]} is too large")
    return number


def _slices(image: dict[str, str]) -> float:
    """Slices of the movie; 1 where the file says nothing that is a number, for only a warning depends on it."""
    try:
        return float(image.get("nslices") or 1)
    except ValueError:
        return 1


def _pixel_sides(image: dict[str, str], pixel_size: float | None, path: Path) -> tuple[float, float]:
    try:
        height, width = float(image["pixelheight"]), float(image["pixelwidth"])
    except (KeyError, ValueError):
        height = width = 0.0
    if height > 0 and width > 0:
        return height, width
    if pixel_size is None:
        raise InputError(
            f"{path} states no pixel size (ImageData pixelwidth); give it in micrometres per pixel."
        )
    return pixel_size, pixel_size
