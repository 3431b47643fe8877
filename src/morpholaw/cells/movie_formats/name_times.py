"""Dates and times of day in file names, rewritten so that they sort in the order of time.

A date with the day or month first (30.11.2026) becomes one with the year first. Times of day without a date that run
past midnight (23:50, 00:10) get a date.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from morpholaw.errors import InputError

_DAY = 86_400  # seconds
_AFTER_DATE = r"[-_. T]+(?:[01]\d|2[0-3])[-_.:hH]?[0-5]\d"
_DATES = (
    # 30.11.2026, 11-30-2026
    (re.compile(r"(?<!\d)(\d\d?)([-_. ])(\d\d?)\2(20\d\d)(?!\d)"), ("%d %m %Y", "%m %d %Y")),
    # 30112026
    (re.compile(r"(?<!\d)([0-3]\d)()([0-3]\d)(20\d\d)(?!\d)"), ("%d %m %Y", "%m %d %Y")),
    # 30Nov2026, 30-Nov-2026
    (re.compile(r"(?<!\d)(\d\d?)([-_. ]?)([A-Za-z]{3})\2(20\d\d)(?!\d)"), ("%d %b %Y",)),
    # 301126_2350
    (re.compile(rf"(?<!\d)(\d\d)()(\d\d)(\d\d)(?={_AFTER_DATE})"), ("%y %m %d", "%d %m %y", "%m %d %y")),
    # 30-11-26_23-50
    (
        re.compile(rf"(?<!\d)(\d\d)([-.])(\d\d)\2(\d\d)(?=(?!\2){_AFTER_DATE})"),
        ("%y %m %d", "%d %m %y", "%m %d %y"),
    ),
)
_TIMES = (
    re.compile(r"(?<!\d)([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?!\d)"),
    re.compile(r"(?<![\dd])([01]\d|2[0-3])[hH]([0-5]\d)(?:[mM]?([0-5]\d)?[sS]?)(?![\dA-Za-z])"),
    re.compile(
        r"(?<![\d][-_.:])(?<!\d)([01]\d|2[0-3])(?P<mark>[-_.:])([0-5]\d)(?P=mark)([0-5]\d)(?!\d|[-_.:]\d)"
    ),
)
_HALF_DAY = re.compile(
    r"(?<!\d)(0?\d|1[0-2])([-_.:h]?)([0-5]\d)(?:\2([0-5]\d))?[-_. ]*([AaPp])\.?[Mm](?![A-Za-z])"
)
_YEAR_FIRST = re.compile(r"(?<!\d)20\d\d[-_.]?[01]\d[-_.]?[0-3]\d")
_CLEAR = 3
"""Factor by which one reading of dates must span less time than another to be preferred."""
_LONGER = 1.5
"""Factor by which the longest gap between times of day must exceed that over midnight, or the reverse."""


def rewritten(names: Sequence[str], where: str) -> list[str]:
    """Return names whose dates and times of day sort in the order of time.

    Parameters
    ----------
    names : sequence of str
        Names of files.
    where : str
        Name of the folder in messages.

    Raises
    ------
    InputError
        If dates can be read with the day or the month first, or times of day go round the clock, so that the order is
        unknown.
    """
    return _past_midnight(_year_first(_of_24_hours(list(names)), where), where)


def _of_24_hours(names: list[str]) -> list[str]:
    """Replace times with AM and PM by six digits."""
    found = [_HALF_DAY.search(name) for name in names]
    matches = [match for match in found if match is not None]
    if len(matches) < len(names):
        return names
    result = []
    for name, match in zip(names, matches, strict=True):
        hour = int(match[1]) % 12 + 12 * (match[5] in "Pp")
        result.append(f"{name[: match.start()]}{hour:02d}{match[3]}{match[4] or '00'}{name[match.end() :]}")
    return result


def _year_first(names: list[str], where: str) -> list[str]:
    for pattern, formats in _DATES:
        found = [pattern.search(name) for name in names]
        matches = [match for match in found if match is not None]
        if len(matches) < len(names) or len({match[0] for match in matches}) == 1:
            continue
        readings = [days for form in formats if (days := _days(matches, form)) is not None]
        if not readings:
            continue
        readings.sort(key=lambda days: max(days) - min(days))
        chosen = readings[0]
        rivals = [days for days in readings[1:] if _ranks(days) != _ranks(chosen)]
        if any(_CLEAR * (max(chosen) - min(chosen)) > max(days) - min(days) for days in rivals):
            raise InputError(
                f"{where}: the dates in the names of its files, such as {matches[0][0]!r}, can be read with the day or "
                "the month first; rename the files with the year first (2026-11-30), or with running numbers."
            )
        return [
            f"{name[: match.start()]}{day:%Y%m%d}{name[match.end() :]}"
            for name, match, day in zip(names, matches, chosen, strict=True)
        ]
    return names


def _days(matches: Sequence[re.Match[str]], form: str) -> list[datetime] | None:
    try:
        return [datetime.strptime(f"{m[1]} {m[3]} {m[4]}", form).replace(tzinfo=UTC) for m in matches]
    except ValueError:
        return None


def _ranks(days: Sequence[datetime]) -> list[int]:
    order = {day: k for k, day in enumerate(sorted(set(days)))}
    return [order[day] for day in days]


@dataclass(frozen=True)
class _Times:
    """The time of day in each name: where it stands, and seconds since midnight."""

    spans: list[tuple[int, int]]
    seconds: np.ndarray


def _past_midnight(names: list[str], where: str) -> list[str]:
    """Give times of day a date if they run past midnight."""
    times = _times_of_day(names)
    if times is None:
        return names
    values = np.unique(times.seconds)
    gaps = np.append(np.diff(values), values[0] + _DAY - values[-1])
    night, day = int(gaps[-1]), int(gaps[:-1].max())  # over midnight, and the longest other gap
    if night >= _LONGER * day or (len(values) < 3 and day < _LONGER * night):
        return names
    if day < _LONGER * night:
        raise InputError(
            f"{where}: the times of day in the names of its files, such as {names[0]!r}, go round the clock, so that "
            "it is unknown which is first; rename the files with the date or with running numbers."
        )
    first = values[int(gaps[:-1].argmax()) + 1]
    start = datetime(2000, 1, 1, tzinfo=UTC)
    result = []
    for name, (a, b), second in zip(names, times.spans, times.seconds.tolist(), strict=True):
        moment = start + timedelta(seconds=second, days=int(second < first))
        result.append(f"{name[:a]}{moment:%Y%m%d_%H%M%S}{name[b:]}")
    return result


def _times_of_day(names: list[str]) -> _Times | None:
    """Return the times of day without a date in names; None if not every name has one at the same place."""
    if any(_YEAR_FIRST.search(name) for name in names):
        return None
    for pattern in _TIMES:
        found = [list(pattern.finditer(name)) for name in names]
        if not all(len(matches) == 1 for matches in found):
            continue
        matches = [one[0] for one in found]
        parts = [[int(part) for part in match.groups() if part and part.isdecimal()] for match in matches]
        seconds = np.array([3600 * p[0] + 60 * p[1] + (p[2] if len(p) > 2 else 0) for p in parts])
        if pattern is _TIMES[2] and _is_grid(parts):
            continue
        rest = {
            re.sub(r"\d+", "#", f"{n[: m.start()]}|{n[m.end() :]}")
            for n, m in zip(names, matches, strict=True)
        }
        if len(np.unique(seconds)) > 1 and len(rest) <= len(names) / 2:
            return _Times([match.span() for match in matches], seconds)
    return None


def _is_grid(parts: list[list[int]]) -> bool:
    """Return whether most combinations of three numbers exist, which then count three things rather than time."""
    count = math.prod(len(set(column)) for column in zip(*parts, strict=True))
    return 2 * len(set(map(tuple, parts))) > count
