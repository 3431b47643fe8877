"""Watch the open study for changes made in another window, by a script or by another person."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from morpholaw.widgets.study.window_timer import window_timer

if TYPE_CHECKING:
    from morpholaw.widgets.study.current_study import CurrentStudy

INTERVAL = 2000
"""Milliseconds between two checks of the files."""
FILES = {
    "crops": ("crops/*/set.json",),
    "labels": ("annotations.jsonl", "classes.json"),
    "encoder": ("encoder/model.json",),
    "classifiers": ("classifiers/*/model.json",),
    "names": ("latent_names.json",),
    "timeline": ("timeline/timeline.json",),
    "validations": ("cross_validation/*.csv",),
}
"""Files of a study, as patterns, that change when a part of it changes; each is written when the part is complete."""
CHANGED_BY = {
    "crops": ("crops_changed", "labels_changed"),
    "labels": ("labels_changed",),
    "encoder": ("encoder_changed",),
    "classifiers": ("classifiers_changed", "laws_changed"),
    "names": ("names_changed",),
    "timeline": ("timeline_changed",),
    "validations": ("validations_changed",),
}
"""Signals of :class:`CurrentStudy` that announce a change of each part; the first is emitted for no other part."""

_State = tuple[tuple[str, int, int], ...]


class StudyWatch(QObject):
    """Announces changes of the open study that were made outside this window.

    Parameters
    ----------
    current : CurrentStudy
        The study; referenced weakly.
    """

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self._current = weakref.ref(current)
        self._seen: dict[str, _State] = {}
        self._timer = window_timer(self, INTERVAL, self.look)
        current.changed.connect(self._begin)
        for part, signals in CHANGED_BY.items():
            getattr(current, signals[0]).connect(partial(self._remember, part))

    def look(self) -> None:
        """Announce the parts of the study whose files have changed since this window last read them.

        While a step of this window works on the study, it announces its results itself, so only labels are compared.
        """
        current = self._current()
        if current is None or current.study is None:
            return
        for part in FILES:
            if part != "labels" and current.is_busy:
                continue
            if self._state(part) != self._seen.get(part):
                self._remember(part)
                current.announce_change(part)

    def stop(self) -> None:
        """Stop watching, because the window is closed."""
        self._timer.stop()

    def _begin(self) -> None:
        for part in FILES:
            self._remember(part)
        current = self._current()
        if current is not None and current.study is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def _remember(self, part: str) -> None:
        self._seen[part] = self._state(part)

    def _state(self, part: str) -> _State:
        """Return the name, the size and the time of change of each file of a part of the study."""
        current = self._current()
        if current is None or current.study is None:
            return ()
        return tuple(_states(current.study.path, FILES[part]))


def _states(folder: Path, patterns: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue  # incomplete, or being removed
            with suppress(OSError):
                stat = path.stat()
                yield str(path), stat.st_size, stat.st_mtime_ns
