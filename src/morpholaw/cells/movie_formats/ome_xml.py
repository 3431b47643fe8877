"""Reading of OME-XML headers: images, their sizes and scale, and the location of each plane.

The XML is parsed as a stream, so that memory use stays small, and entities are never expanded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from morpholaw.cells.movie_formats.time_points import interval_between
from morpholaw.cells.movie_formats.units import PixelSize, micrometres, pixel_size, seconds
from morpholaw.errors import InputError

_LONGEST = 2**27
"""Maximum number of characters of a header; 100,000 planes take about 30 million."""
_SAME_INTERVAL = 0.1
"""Relative difference of two statements of the interval that is reported."""
_MAX_PLANES = 2**22
_MAX_ELEMENTS = 2**22


@dataclass
class TiffData:
    """Consecutive planes, starting at one TIFF directory."""

    ifd: int
    first: dict[str, int]
    count: int | None
    file: str | None = None
    uuid: str | None = None


@dataclass
class OmeImage:
    """An <Image>: one position (field, scene) of the acquisition.

    Attributes
    ----------
    name : str
        Name written by the acquisition program, or "".
    pixels : dict
        Attributes of <Pixels>.
    channels : list of (str, int)
        Name and number of samples per pixel of each channel.
    data : list of TiffData
        Locations of its planes.
    times : list of (int, float)
        Time point and seconds since the start, for planes that state them.
    """

    name: str = ""
    pixels: dict[str, str] = field(default_factory=dict)
    channels: list[tuple[str, int]] = field(default_factory=list)
    data: list[TiffData] = field(default_factory=list)
    times: list[tuple[int, float]] = field(default_factory=list)

    def size(self, axis: str) -> int:
        """Return SizeX, SizeY, SizeZ, SizeC or SizeT."""
        return _whole(self.pixels.get(f"Size{axis}"), 1)

    @property
    def samples(self) -> int:
        """Number of channels stored together in one plane (red, green and blue)."""
        return self.channels[0][1] if self.channels else 1

    @property
    def plane_axes(self) -> list[tuple[str, int]]:
        """Return the axes z, c and t with their lengths in planes, fastest first."""
        order = self.pixels.get("DimensionOrder", "XYZCT").upper()
        axes = order[2:] if re.fullmatch(r"XY[ZCT]{3}", order) and len(set(order)) == 5 else "ZCT"
        return [(a, self.size(a) // self.samples if a == "C" else self.size(a)) for a in axes]

    @property
    def plane_count(self) -> int:
        """Number of planes according to the header."""
        return math.prod(n for _, n in self.plane_axes)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels; () if there are none."""
        names = tuple(name for name, _ in self.channels)
        return names if any(names) else ()

    def scale(self) -> tuple[PixelSize | None, str | None]:
        """Return the pixel size, and a note if that of the header cannot be correct."""
        x = _number(self.pixels.get("PhysicalSizeX"))
        y = _number(self.pixels.get("PhysicalSizeY"))
        unit = {axis: micrometres(self.pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in "XY"}
        x = x * unit["X"] if x is not None and unit["X"] else None
        y = y * unit["Y"] if y is not None and unit["Y"] else None
        return pixel_size(x if y is None else y, y if x is None else x, "OME header")

    def interval(self) -> tuple[float | None, str | None]:
        """Return the seconds between frames, from the planes' times or else the header's increment, and a note."""
        stated = _number(self.pixels.get("TimeIncrement"))
        increment = seconds(stated, self.pixels.get("TimeIncrementUnit", "s")) if stated else None
        first: dict[int, float] = {}
        for t, time in self.times:
            first[t] = min(time, first.get(t, time))
        if len(first) < 2 or len(first) <= max(first) - min(first):  # some planes do not state theirs
            (start, begin), (end, last) = min(self.times, default=(0, 0.0)), max(self.times, default=(0, 0.0))
            return increment or (seconds((last - begin) / (end - start), "s") if end > start else None), None
        interval, note = interval_between([first[t] for t in sorted(first)], "OME header")
        if interval is None:
            return (None, note) if note else (increment, None)
        if note is None and increment is not None and abs(increment / interval - 1) > _SAME_INTERVAL:
            note = (
                f"its OME header states {increment:.4g} s between frames, but the times of its planes {interval:.4g} "
                "s, which is used."
            )
        return interval, note


@dataclass
class OmeHeader:
    """All images of an OME-XML header, and the identifier of the file."""

    images: list[OmeImage] = field(default_factory=list)
    uuid: str | None = None
    metadata_file: str | None = None
    """Companion file with the header, if this header only refers to it."""


class _Reader:
    """Collects the few relevant elements from the parser's events."""

    def __init__(self) -> None:
        self.header = OmeHeader()
        self._elements = 0
        self._text: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise ValueError(f"it has more than {_MAX_ELEMENTS} elements")
        name = tag.rpartition("}")[2]
        images = self.header.images
        if name == "OME":
            self.header.uuid = self.header.uuid or attributes.get("UUID")
        elif name == "BinaryOnly":
            self.header.metadata_file = attributes.get("MetadataFile", "")
        elif name == "Image":
            images.append(OmeImage(attributes.get("Name", "")))
        elif name == "Pixels" and images and not images[-1].pixels:
            images[-1].pixels = dict(attributes)
        elif name == "Channel" and images:
            samples = _whole(attributes.get("SamplesPerPixel"), 1)
            images[-1].channels.append((attributes.get("Name", ""), max(1, samples)))
        elif name == "TiffData" and images:
            count = attributes.get("PlaneCount", attributes.get("NumPlanes"))
            known = {axis: _whole(attributes.get(f"First{axis}"), 0) for axis in "ZCT"}
            stated = _whole(count, 0) if count is not None else 1 if "IFD" in attributes else 0
            images[-1].data.append(TiffData(_whole(attributes.get("IFD"), 0), known, stated or None))
        elif name == "UUID" and images and images[-1].data:
            images[-1].data[-1].file = attributes.get("FileName")
            self._text = []
        elif name == "Plane" and images and "DeltaT" in attributes:
            value = _number(attributes["DeltaT"])
            value = seconds(value, attributes.get("DeltaTUnit", "s")) if value else value
            if value is not None:
                images[-1].times.append((_whole(attributes.get("TheT"), 0), value))

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if self._text is not None and tag.rpartition("}")[2] == "UUID":
            self.header.images[-1].data[-1].uuid = "".join(self._text).strip()
            self._text = None

    def close(self) -> OmeHeader:
        return self.header


def read_ome_xml(text: str | bytes, where: str) -> OmeHeader:
    """Read an OME-XML header.

    Raises
    ------
    InputError
        If it is not valid XML, declares entities, or claims more planes than any acquisition has.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, XMLParser

    if len(text) > _LONGEST:
        raise InputError(f"{where} has an OME-XML header of {len(text)} characters, which is too long.")
    parser: Any = XMLParser(target=_Reader(), forbid_dtd=True)
    try:
        parser.feed(text)
        header: OmeHeader = parser.close()
    except DefusedXmlException as error:
        raise InputError(f"{where} has OME-XML that declares entities, which is not allowed.") from error
    except (ParseError, ValueError) as error:
        raise InputError(f"{where} has OME-XML that is not valid ({error}); copy the file again.") from error
    for image in header.images:
        if image.plane_count > _MAX_PLANES or min(n for _, n in image.plane_axes) < 1:
            sizes = ", ".join(f"Size{axis} {image.size(axis)}" for axis in "CZT")
            raise InputError(
                f"{where} has an OME header that claims {sizes}, which is impossible; the header is wrong."
            )
    return header


def base_name(file: str) -> str:
    """Return the last part of a file name from any system; "" if it names no file."""
    name = re.split(r"[/\\]", file.strip())[-1]
    return "" if name in (".", "..") else name


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _whole(text: str | None, default: int) -> int:
    try:
        return int(text) if text is not None else default
    except ValueError:
        return default
