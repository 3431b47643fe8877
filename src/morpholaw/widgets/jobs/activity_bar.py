"""A step's progress in napari's activity dock, which stays in sight when the step's panel is closed."""

from __future__ import annotations

import os
from contextlib import ExitStack

from napari.utils import progress

_STEPS = 1000


class ActivityBar:
    """A bar with the step's name, filled as far as the current stage is done.

    Parameters
    ----------
    name : str
        What the step is called in the window.
    """

    def __init__(self, name: str) -> None:
        self._open = ExitStack()
        # napari's bars are tqdm's and would be written to the terminal as well
        nowhere = self._open.enter_context(open(os.devnull, "w"))  # noqa: SIM115
        self._bar = self._open.enter_context(progress(total=_STEPS, desc=name, file=nowhere))

    def show(self, share: float | None) -> None:
        """Fill the bar up to a share of 1; leave it where the share is not known."""
        if share is not None:
            self._bar.update(round(_STEPS * share) - self._bar.n)

    def close(self) -> None:
        """Remove the bar; a second time does nothing."""
        self._open.close()
