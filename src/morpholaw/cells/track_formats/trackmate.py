"""TrackMate XML files: spots in physical units, and edges between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.column_names import length_unit
from morpholaw.cells.track_formats.facts import TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.frames import counts_frames, frames_from_times, is_whole
from morpholaw.cells.track_formats.lineage import linear_tracks
from morpholaw.display import counted
from morpholaw.errors import InputError

_BLOCK = 1 << 24
"""Number of bytes read at a time; the parser rescans an unfinished tag with every block."""
_LONGEST_TAG = 1 << 26
"""Number of bytes without the beginning or end of an element after which reading stops."""
_DEEPEST = 100
"""Maximum depth of nested elements; TrackMate's files have about ten."""


@dataclass
class _Content:
    spots: list[tuple[int, int, float, float, bool]] = field(default_factory=list)  # id, frame, y, x, visible
    edges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # by TRACK_ID
    kept: set[str] | None = None  # TRACK_IDs that passed the track filters
    image: dict[str, str] = field(default_factory=dict)
    unit: str | None = None
    is_trackmate: bool = False
    broken_edges: int = 0
    particles: list[tuple[int, float, float, float]] = field(default_factory=list)  # number, t, y, x
    particle_count: int = 0
    exported: dict[str, str] | None = None  # attributes of <Tracks>, "Export tracks to XML file"


def read_trackmate(path: Path, context: TrackContext) -> Tracks:
    """Read the tracks that TrackMate displays, split at divisions, from a session or from "Export tracks to XML file".

    ``source_id`` is the ID of the spot and ``source_track`` its TRACK_ID. Positions are converted to pixels by the
    file's own pixel size, or else by the movie's.

    Raises
    ------
    InputError
        If the file is not TrackMate XML, declares entities, displays no tracks, or states no pixel size.
    """
    content = _parse(path)
    notes: list[str] = []
    if content.exported is not None:
        return _exported_tracks(content, path, context, notes)
    if not content.is_trackmate:
        raise InputError(f"{path} is XML but not a TrackMate file; expected a <TrackMate> element.")
    if not content.spots:
        raise InputError(f"{path} has no spots.")
    size = _pixel_sides(content, context, path)
    if _number(content.image.get("nslices"), 1) > 1:
        notes.append(f"{path}: the tracks are 3D ({content.image['nslices']} slices); z is not used.")
    spots = pd.DataFrame(content.spots, columns=["spot", "t", "y", "x", "visible"])
    spots["y"] /= size[0]
    spots["x"] /= size[1]
    tracks = _shown_tracks(spots, content, path, context, notes)
    image = tuple(round(_number(content.image.get(name), 0)) for name in ("height", "width"))
    count = round(_number(content.image.get("nframes"), 0))
    stated = _stated_pixel_sides(content.image) is not None and _is_length(content)
    facts = TrackFacts(
        format="TrackMate XML",
        image_size=(image[0], image[1]) if min(image) > 0 else None,
        frame_count=count if count > 0 else None,
        frame_numbering="as stored",
        pixel_size=float(np.sqrt(size[0] * size[1])) * (length_unit(content.unit) or 1.0) if stated else None,
        unit="um" if _is_length(content) else "pixel",
        notes=notes,
        sources=dict.fromkeys(("image_size", "frame_count", "pixel_size"), "ImageData in the file")
        | {"unit": "spatialunits in the file"},
    )
    return Tracks(tracks, facts)


def _shown_tracks(
    spots: pd.DataFrame, content: _Content, path: Path, context: TrackContext, notes: list[str]
) -> pd.DataFrame:
    """Return the spots of tracks that pass TrackMate's filters, as a raw track table."""
    if content.broken_edges:
        notes.append(f"{path}: left out {counted(content.broken_edges, 'edge')} without a spot.")
    kept = content.edges.keys() if content.kept is None else content.edges.keys() & content.kept
    rows = [(*edge, track) for track in sorted(kept, key=_in_order) for edge in content.edges[track]]
    if not rows:
        return _unlinked(spots, content, path, context)
    edges = pd.DataFrame(rows, columns=["a", "b", "track"])
    known = edges["a"].isin(spots["spot"]) & edges["b"].isin(spots["spot"])
    if not known.all():
        spot = edges.loc[~known, ["a", "b"]].to_numpy().ravel()[0]
        count = counted(int((~known).sum()), "edge")
        notes.append(f"{path}: left out {count} to spots that are not in the file (e.g. {spot}).")
        edges = edges[known]
    name_of = dict(zip(edges["a"], edges["track"], strict=True)) | dict(
        zip(edges["b"], edges["track"], strict=True)
    )
    spots = spots.assign(source_track=spots["spot"].map(name_of))
    in_track = spots["source_track"].notna()
    hidden = in_track & ~spots["visible"]
    if (others := (~in_track & spots["visible"]).sum()) > 0:
        notes.append(f"{path}: left out {counted(others, 'spot')} in no track that TrackMate displays.")
    if hidden.any():
        notes.append(
            f"{path}: left out {counted(hidden.sum(), 'spot')} of tracks, hidden by a spot filter; the tracks continue "
            "across the gaps."
        )
    linked = linear_tracks(spots[in_track], edges[["a", "b"]].to_numpy(np.int64), str(path), notes)
    linked = linked[linked["visible"]].reset_index(drop=True)
    if len(linked) == 0:
        raise InputError(f"{path} displays no spot of any track: its spot filters hide all of them.")
    return linked.assign(source_id=linked["spot"].astype(str)).drop(columns=["spot", "visible"])


def _unlinked(spots: pd.DataFrame, content: _Content, path: Path, context: TrackContext) -> pd.DataFrame:
    if context.ids == "per-frame":
        spots = spots[spots["visible"]].reset_index(drop=True)
        ids = spots["spot"].astype(str)
        return spots.assign(track_id=np.arange(1, len(spots) + 1), source_id=ids).drop(
            columns=["spot", "visible"]
        )
    if content.edges and content.kept is not None:
        raise InputError(
            f"{path} displays no track: TrackMate's track filters hide {counted(len(content.edges), 'track')}; "
            "relax the filters in TrackMate and save the session again."
        )
    raise InputError(
        f"{path} has {counted(len(spots), 'spot')} but no tracks; track them in TrackMate and save the session again "
        "(or treat each spot separately with --ids per-frame)."
    )


def _exported_tracks(content: _Content, path: Path, context: TrackContext, notes: list[str]) -> Tracks:
    """Return the tracks from "Export tracks to XML file", which have no ids and no divisions."""
    about = content.exported or {}
    if not content.particles:
        raise InputError(f"{path} has no tracks.")
    raw = pd.DataFrame(content.particles, columns=["track_id", "t", "y", "x"])
    times = raw["t"].to_numpy(np.float64)
    unit = about.get("timeUnits")
    if is_whole(times):  # TrackMate writes frames here, whatever the stated unit
        raw["t"] = times.astype(np.int64)
    else:
        raw["t"] = frames_from_times(times, None if counts_frames(unit) else unit, str(path), context, notes)
    if raw.duplicated(["track_id", "t"]).any():
        raise InputError(
            f"{path} was exported from TrackMate as plain tracks, which cannot represent divisions, and has a track "
            "twice in one frame; save the session (TrackMate's Save button) and use that file."
        )
    length = length_unit(about.get("spaceUnits"))
    if length:
        raw[["y", "x"]] *= length / context.pixel_size_for(about["spaceUnits"], str(path))
    facts = TrackFacts(
        format="TrackMate track export",
        frame_numbering="as stored",
        unit="um" if length else "pixel" if length == 0 else "unknown",
        notes=notes,
        sources={"unit": "spaceUnits in the file"},
    )
    return Tracks(raw, facts)


def _parse(path: Path) -> _Content:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    content = _Content()
    track = ""
    parents: list[Element] = []
    try:
        with _large_blocks(path) as source:
            for event, element in iterparse(source, events=("start", "end"), forbid_dtd=True):
                source.unanswered = 0
                if event == "start":
                    parents.append(element)
                    if len(parents) > _DEEPEST:
                        raise InputError(
                            f"{path} has elements nested more than {_DEEPEST} deep; it is damaged."
                        )
                    content.is_trackmate |= element.tag == "TrackMate"
                    if element.tag == "Track":
                        track = element.attrib["TRACK_ID"]
                        content.edges[track] = []
                    elif element.tag == "Tracks" and not content.is_trackmate:
                        content.exported = dict(element.attrib)
                    elif element.tag == "FilteredTracks":
                        content.kept = set()
                    elif element.tag == "Model":
                        content.unit = element.attrib.get("spatialunits")
                    elif element.tag == "particle":
                        content.particle_count += 1
                    continue
                parents.pop()
                parent = parents[-1] if parents else None
                _take(content, element, track, "" if parent is None else parent.tag)
                if parent is not None:
                    del parent[:]  # a long movie has millions of spots, each with its outline
    except InputError:
        raise
    except DefusedXmlException as error:
        raise InputError(f"{path} declares a document type or entities, which is not allowed.") from error
    except KeyError as error:
        raise InputError(f"{path} has a spot or track without {error.args[0]}.") from error
    except (ParseError, LookupError) as error:  # LookupError: an unknown encoding
        raise InputError(f"{path} is not valid XML ({error}); copy the file again.") from error
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path} has a spot or edge with a value that is not a number ({error}).") from error
    return content


class _LargeBlocks:
    """A binary file that is read in large blocks, whatever size is requested."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.unanswered = 0  # bytes since the parser's last event

    def read(self, size: int = -1) -> bytes:
        if self.unanswered > _LONGEST_TAG:
            raise InputError(
                f"{self._handle.name} has a tag of more than {_LONGEST_TAG} bytes; it is damaged."
            )
        block = self._handle.read(max(size, _BLOCK))
        self.unanswered += len(block)
        return block


@contextmanager
def _large_blocks(path: Path) -> Iterator[_LargeBlocks]:
    with path.open("rb") as handle:
        yield _LargeBlocks(handle)


def _take(content: _Content, element: Element, track: str, parent: str) -> None:
    values = element.attrib
    if element.tag == "Spot":
        content.spots.append(
            (
                _id(values["ID"]),
                int(float(values["FRAME"])),
                float(values["POSITION_Y"]),
                float(values["POSITION_X"]),
                float(values.get("VISIBILITY", 1)) > 0,
            )
        )
    elif element.tag == "Edge":
        ends = values.get("SPOT_SOURCE_ID"), values.get("SPOT_TARGET_ID")
        if ends[0] is None or ends[1] is None:  # TrackMate itself has written such edges
            content.broken_edges += 1
        else:
            content.edges.setdefault(track, []).append((_id(ends[0]), _id(ends[1])))
    elif element.tag == "TrackID" and parent == "FilteredTracks" and content.kept is not None:
        content.kept.add(values["TRACK_ID"])
    elif element.tag == "ImageData":
        content.image = dict(values)
    elif element.tag == "detection" and content.exported is not None:
        content.particles.append(
            (content.particle_count, float(values["t"]), float(values["y"]), float(values["x"]))
        )


def _id(spot: str) -> int:
    """Return the ID of a spot; raise OverflowError if it is beyond int64."""
    number = int(spot)
    if abs(number) >= 2**63:
        raise OverflowError(f"the ID {spot[:30]} is too large")
    return number


def _in_order(track: str) -> tuple[int, str]:
    return (int(track), "") if track.isascii() and track.isdigit() and len(track) < 18 else (2**62, track)


def _number(text: str | None, default: float) -> float:
    """Parse a number with a decimal point or comma; return the default if it is missing."""
    try:
        value = float((text or "").replace(",", "."))
    except ValueError:
        return default
    return value if np.isfinite(value) else default


def _is_length(content: _Content) -> bool:
    """Return whether positions are in a unit of length rather than in pixels."""
    return (
        bool(length_unit(content.unit))
        if content.unit
        else _stated_pixel_sides(content.image) not in (None, (1, 1))
    )


def _stated_pixel_sides(image: dict[str, str]) -> tuple[float, float] | None:
    height, width = (_number(image.get(name), 0) for name in ("pixelheight", "pixelwidth"))
    return (height, width) if height > 0 and width > 0 else None


def _pixel_sides(content: _Content, context: TrackContext, path: Path) -> tuple[float, float]:
    stated = _stated_pixel_sides(content.image)
    if stated is not None:
        return stated
    if length_unit(content.unit) == 0:
        return 1.0, 1.0
    pixel_size = context.pixel_size_for(content.unit or "a unit that it does not state", str(path))
    return pixel_size, pixel_size
