"""Interpretation of image file names: time, channel, slice and position, as written by many programs.

Numbers that change from file to file are identified by the letters before them ("t001", "ch2", "z03", "Pos1"), and
words that change ("GFP", "Phase") are channels. The names of Micro-Manager, Operetta and Harmony, ImageXpress and
MetaMorph, Yokogawa CellVoyager, Leica, Zeiss, Nikon and Incucyte exports and Fiji's image sequences are understood, and
any names with one number per frame.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from morpholaw.cells.movie_formats.name_times import rewritten
from morpholaw.errors import InputError

_TAGS = {
    "t": "t tp time timepoint tpoint timestep timelapse frame frm fr sk",
    "c": "c ch chan channel w wv wave wavelength filter colour color",
    "z": "z zs zstack slice plane zpos depth focus",
    "p": "s xy pos position fld field site well scene series point tile row col column view",
}
_AXIS_OF = {tag: axis for axis, tags in _TAGS.items() for tag in tags.split()}
_OPERETTA = re.compile(r"r#c#f#p#-ch#sk#", re.IGNORECASE)
_OPERETTA_AXES = {"r": "p", "c": "p", "f": "p", "p": "z", "ch": "c", "sk": "t"}
_MICRO_MANAGER = re.compile(r"(.*/)?img_#_.+_#")

_WELL = r"(?<![A-Za-z0-9])[A-P]\d{1,2}(?![A-Za-z0-9])"
_DATE = r"(?<!\d)20\d\d[-_.]?[01]\d[-_.]?[0-3]\d"
_CLOCK = _DATE + r"[-_. T]*[0-2]\d[-_.:hH]?[0-5]\d(?:[-_.:mM]?[0-5]\d)?(?:s(?![a-z]))?(?!\d)"
_ELAPSED = r"(?:(?:\d+d)?\d+h\d+m(?:in)?|\d+\.\d+(?:hrs?|h|min|s))(?![A-Za-z0-9])"
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
MASK_WORDS = {
    *("mask", "masks", "seg", "segm", "segmentation", "segmented", "label", "labels", "labelled", "labeled"),
    *(
        "outline",
        "outlines",
        "binary",
        "annotation",
        "annotations",
        "groundtruth",
        "prediction",
        "predictions",
    ),
}


@dataclass(frozen=True)
class NamedFile:
    """A file and its coordinates according to its name.

    Attributes
    ----------
    stem : str
        Name without the suffix.
    channel, position : str
        Channel and position in the name; "" if they do not vary.
    z : int or None
        Number of the slice.
    t : tuple of int
        Numbers that represent time, usually one; seconds for times of day.
    clock : bool
        Whether ``t`` is in seconds.
    """

    stem: str
    channel: str = ""
    position: str = ""
    z: int | None = None
    t: tuple[int, ...] = ()
    clock: bool = False


@dataclass(frozen=True)
class _Token:
    """A number, a time of day or a well in a name."""

    kind: str
    text: str
    value: int


@dataclass
class _Field:
    """The values at one position of names of the same kind."""

    tag: str
    tokens: list[_Token]
    axis: str = "?"

    @property
    def kind(self) -> str:
        """Kind of its tokens: number, clock, elapsed or well."""
        return self.tokens[0].kind

    @property
    def values(self) -> list[int]:
        """One value per file."""
        return [token.value for token in self.tokens]


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that orders numbers in names by value."""
    parts = re.split(r"(\d+)", name.lower())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def is_mask_name(stem: str) -> bool:
    """Return whether a file name says that it is a mask."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower())
    return not MASK_WORDS.isdisjoint(words)


def axis_of_tag(tag: str) -> str | None:
    """Return the axis for the letters before a number, such as t for "TimePoint_"; None if they are unknown."""
    return _AXIS_OF.get(re.sub(r"[^a-z]", "", tag.lower()))


def read_names(stems: Sequence[str], wanted: str | None, where: str) -> list[NamedFile]:
    """Interpret the names of the files of a folder.

    Parameters
    ----------
    stems : sequence of str
        Names without suffix, with "/" between folders.
    wanted : str or None
        Letters given by the user for the numbers that change, in their order, without y and x. With "t" alone, every
        file is a frame, in the natural order of names.
    where : str
        Name of the folder in messages.

    Returns
    -------
    list of NamedFile

    Raises
    ------
    InputError
        If the names cannot be understood, or two files are the same image.
    """
    if wanted == "t":
        order = sorted(stems, key=natural_key)
        rank = {stem: k for k, stem in enumerate(order)}
        return [NamedFile(stem, t=(rank[stem], 0)) for stem in stems]
    original = dict(zip(rewritten(_without_guids(stems), where), stems, strict=True))
    if len(original) < len(stems):
        raise InputError(f"{where}: two files have names of the same time; keep one of the two.")
    return [replace(one, stem=original[one.stem]) for one in _read_names([*original], wanted, where)]


def _read_names(stems: Sequence[str], wanted: str | None, where: str) -> list[NamedFile]:
    """Interpret names in which dates and times sort in the order of time."""
    wells = _has_wells(stems)
    clock = all(_has_clock(stem) for stem in stems) and not _counts_from_zero(stems)
    kinds: dict[str, list[str]] = defaultdict(list)
    tokens: dict[str, list[_Token]] = {}
    for stem in stems:
        skeleton, tokens[stem] = _split(stem, wells, clock)
        kinds[skeleton].append(stem)
    words = _words(kinds, tokens)
    named: dict[str, NamedFile] = {}
    for skeleton, members in kinds.items():
        fields = _fields(skeleton, [tokens[stem] for stem in members])
        _name_axes(fields, members, wanted, len(kinds), where)
        for i, stem in enumerate(members):
            named[stem] = _named_file(stem, words[skeleton], fields, i)
    _refuse_twins(list(named.values()), where)
    return [named[stem] for stem in stems]


def _without_guids(stems: Sequence[str]) -> list[str]:
    """Return names without the random ids that MetaXpress adds, unless only these tell them apart."""
    shorter = [_GUID.sub("", stem) for stem in stems]
    return shorter if len(set(shorter)) == len(stems) else list(stems)


def _has_wells(stems: Sequence[str]) -> bool:
    """Return whether every name has a well (B03) and the rows differ; within one row, C1 could be a channel."""
    wells = [re.search(_WELL, stem) for stem in stems]
    return all(wells) and len({match[0][0] for match in wells if match}) > 1


def _has_clock(stem: str) -> bool:
    return re.search(_CLOCK, stem) is not None


def _counts_from_zero(stems: Sequence[str]) -> bool:
    """Return whether every date is followed by four digits, 0000 to 0059, probably a running number."""
    clocks = [re.search(_CLOCK, stem) for stem in stems]
    return all(match is not None and re.search(r"\D00\d\d$", match[0]) for match in clocks)


def _split(stem: str, wells: bool, clock: bool) -> tuple[str, list[_Token]]:
    """Return a name with "#" in place of every number, and the numbers."""
    kinds = {**({"clock": _CLOCK} if clock else {}), "elapsed": _ELAPSED}
    kinds |= {**({"well": _WELL} if wells else {}), "number": r"\d+"}
    pattern = "|".join(f"(?P<{kind}>{text})" for kind, text in kinds.items())
    tokens = [_token(str(match.lastgroup), match[0]) for match in re.finditer(pattern, stem)]
    return re.sub(pattern, "#", stem), tokens


def _token(kind: str, text: str) -> _Token:
    digits = re.sub(r"\D", "", text)
    if kind == "clock":
        try:
            moment = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            return _Token(kind, text, int(moment.timestamp()))
        except ValueError:
            return _Token("number", text, int(digits))
    if kind == "elapsed":
        parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
        return _Token(kind, text, round(sum(float(count) * _SECONDS[unit] for count, unit in parts)))
    if kind == "well":
        return _Token(kind, text, 100 * ord(text[0]) + int(digits))
    return _Token(kind, text, int(digits))


def _words(kinds: dict[str, list[str]], tokens: dict[str, list[_Token]]) -> dict[str, str]:
    """Return the words by which kinds of names differ; "" if there is only one kind."""
    if len(kinds) == 1:
        return dict.fromkeys(kinds, "")
    split = {kind: re.findall(r"[A-Za-z]+|#|[^A-Za-z#]", kind) for kind in kinds}
    parts = list(split.values())
    shortest = min(map(len, parts))
    before = next((i for i in range(shortest) if len({part[i] for part in parts}) > 1), shortest)
    after = next(
        (i for i in range(shortest - before) if len({part[-1 - i] for part in parts}) > 1), shortest - before
    )
    words = {}
    for kind, part in split.items():
        members, seen = kinds[kind], part[:before].count("#")
        text = ""
        for piece in part[before : len(part) - after]:
            if piece == "#":
                values = {tokens[stem][seen].text for stem in members}
                text += values.pop() if len(values) == 1 else ""
                seen += 1
            else:
                text += piece
        words[kind] = text.strip(" _-./") or kind.replace("#", "").strip(" _-./") or "no word"
    twice = len(set(words.values())) < len(words)
    return {kind: kind for kind in kinds} if twice else words


def _fields(skeleton: str, rows: list[list[_Token]]) -> list[_Field]:
    """Return the numbers that change among names of one kind; of several that change together, one."""
    texts = skeleton.split("#")
    varying = []
    for k, column in enumerate(zip(*rows, strict=True)):
        if len({token.value for token in column}) > 1:
            tag = re.search(r"([A-Za-z]+)[ _\-.]*$", texts[k])
            varying.append(_Field(tag[1].lower() if tag else "", list(column)))
    for one in varying:
        one.axis = _axis_by_program(skeleton, one)
    kept: list[_Field] = []
    for one in sorted(varying, key=_preference):
        if not any(_change_together(one, other) for other in kept):
            kept.append(one)
    return [one for one in varying if one in kept]


def _axis_by_program(skeleton: str, one: _Field) -> str:
    """Return the axis of a number in names with the pattern of a known program; "?" otherwise."""
    if _OPERETTA.search(skeleton):
        return _OPERETTA_AXES.get(one.tag, "?")
    if _MICRO_MANAGER.fullmatch(skeleton):
        return "t" if one.tag == "img" else "p" if axis_of_tag(one.tag) == "p" else "z"
    if one.tag == "w" and len(one.tokens[0].text) > 2:
        return "p"  # W0001: a well of Yokogawa and ScanR; MetaMorph's w1 is a wavelength
    return "?"


def _preference(one: _Field) -> int:
    """Return the rank of a number among several that change together; the most informative is first."""
    known = one.axis != "?" or axis_of_tag(one.tag) is not None
    values = sorted(set(one.values))
    consecutive = values[-1] - values[0] == len(values) - 1
    return 2 * (not known) + (not consecutive)


def _change_together(a: _Field, b: _Field) -> bool:
    pairs = len(set(zip(a.values, b.values, strict=True)))
    return pairs == len(set(a.values)) == len(set(b.values))


def _name_axes(fields: list[_Field], members: list[str], wanted: str | None, kinds: int, where: str) -> None:
    """Assign an axis to every number that changes: as given by the user, by its letters, or by exclusion."""
    if wanted is not None and len(fields) == len(wanted):
        for one, axis in zip(fields, wanted, strict=True):
            one.axis = axis
        return
    if wanted is not None and kinds == 1:
        raise InputError(
            f"{where}: --axes {wanted}yx has {len(wanted)} axes before y and x, but {len(fields)} numbers change in "
            f"the names of its files, such as {members[0]!r}."
        )
    for one in fields:
        if one.axis == "?":
            known = {"clock": "t", "elapsed": "t", "well": "p"}.get(one.kind)
            one.axis = known or axis_of_tag(one.tag) or "?"
    unknown = [one for one in fields if one.axis == "?"]
    if any(one.axis == "t" for one in fields):
        for one in unknown:
            one.axis = "p"  # exp1_t001, f01_t001: whatever is not time is another field or experiment
    elif len(unknown) == 1:
        unknown[0].axis = "t"
    elif unknown:
        if _is_grid(fields):
            counts = " and ".join(f"{min(one.values)} to {max(one.values)}" for one in unknown)
            raise InputError(
                f"{where}: {len(unknown)} numbers change in the names of its files ({counts}, in {members[0]!r}), and "
                "it is unclear which is time; name them in order with --axes, for example --axes "
                f"t{'cpz'[: len(fields) - 1]}yx."
            )
        for one in unknown:
            one.axis = "t"  # parts of one time, such as date and time of day


def _is_grid(fields: list[_Field]) -> bool:
    """Return whether most combinations of the numbers exist."""
    count = math.prod(len(set(one.values)) for one in fields)
    return 2 * len(set(zip(*(one.values for one in fields), strict=True))) > count


def _named_file(stem: str, word: str, fields: list[_Field], i: int) -> NamedFile:
    def called(axis: str) -> str:
        of_axis = [one for one in fields if one.axis == axis]
        return " ".join((one.tag if one.kind == "number" else "") + one.tokens[i].text for one in of_axis)

    slices = [one.values[i] for one in fields if one.axis == "z"]
    times = [one for one in fields if one.axis == "t"]
    return NamedFile(
        stem,
        channel=" ".join(part for part in (word, called("c")) if part),
        position=called("p"),
        z=slices[0] if slices else None,
        t=tuple(one.values[i] for one in times),
        clock=any(one.kind in ("clock", "elapsed") for one in times),
    )


def _refuse_twins(files: list[NamedFile], where: str) -> None:
    seen: dict[tuple[object, ...], str] = {}
    for one in files:
        key = (one.channel, one.position, one.z, one.t)
        other = seen.setdefault(key, one.stem)
        if other != one.stem:
            raise InputError(
                f"{where}: the names {other!r} and {one.stem!r} mean the same image; keep one of the two, or read "
                "every file as a frame with --axes tyx."
            )
