"""The status of a step as text (stage, count, time left, losses, message) and in napari's activity dock."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack

from napari.utils import progress

from morpholaw.display import capitalised
from morpholaw.events import Event, Message, Metrics, Progress


class StepStatus:
    """Text about the progress of one step.

    Parameters
    ----------
    name : str
        Name of the step, such as "train_encoder".

    Attributes
    ----------
    share : float or None
        Completed share of the current stage, from 0 to 1; None if unknown.
    """

    def __init__(self, name: str) -> None:
        self.name = in_words(name)
        self.share: float | None = None
        self._parts = {"state": f"{self.name}: starting..."}
        self._stage: tuple[str, float, int] = ("", time.monotonic(), 0)

    def take(self, event: Event) -> None:
        """Update the status from an event; ignore events that are displayed elsewhere."""
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Metrics):
            self._parts["losses"] = ", ".join(
                f"{name.replace('_', ' ')} {value:.4g}" for name, value in event.values.items()
            )
        elif isinstance(event, Message):
            self._parts["message"] = event.text

    @property
    def message(self) -> str:
        """The last message of the step."""
        return self._parts.get("message", "")

    def forget_message(self) -> None:
        """Forget the last message."""
        self._parts.pop("message", None)

    @property
    def text(self) -> str:
        """The whole status, in one to three lines."""
        progress = ", ".join(self._parts[key] for key in ("state", "count", "left") if key in self._parts)
        details = [self._parts[key] for key in ("losses", "message") if key in self._parts]
        return "\n".join([progress, *details])

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        stage, start, first = self._stage
        if event.stage != stage or event.done < first:
            self._stage = stage, start, first = event.stage, now, event.done
        self._parts["state"] = in_words(event.stage) or self.name
        self._parts.pop("left", None)
        if not event.total:
            self.share = None
            self._parts["count"] = f"{event.done:,}"
            return
        self.share = min(event.done / event.total, 1.0)
        self._parts["count"] = f"{event.done:,} of {event.total:,}"
        if event.done > first and now - start > 1 and event.done < event.total:
            self._parts["left"] = _duration((now - start) * (event.total - event.done) / (event.done - first))


def in_words(step: str) -> str:
    """Return the name of a step for display: "Train encoder"."""
    return capitalised(step.replace("_", " "))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s left"
    minutes = seconds / 60
    return f"{minutes:.0f} min left" if minutes < 90 else f"{minutes / 60:.1f} h left"


_STEPS = 1000


class ActivityBar:
    """A progress bar in napari's activity dock.

    Parameters
    ----------
    name : str
        Name of the step in the window.
    """

    def __init__(self, name: str) -> None:
        self._open = ExitStack()
        # napari's progress bars are tqdm bars, which would also be written to the terminal
        nowhere = self._open.enter_context(open(os.devnull, "w"))  # noqa: SIM115
        self._bar = self._open.enter_context(progress(total=_STEPS, desc=name, file=nowhere))

    def show(self, share: float | None) -> None:
        """Set the completed share, from 0 to 1; None leaves the bar as it is."""
        if share is not None:
            self._bar.update(round(_STEPS * share) - self._bar.n)

    def close(self) -> None:
        """Remove the bar; calling this again does nothing."""
        self._open.close()
