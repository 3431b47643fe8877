"""The warning that readers of tracks share."""

from __future__ import annotations

import warnings


class TracksWarning(UserWarning):
    """Tracks that were left out, or something that was decided for the user, in one sentence."""


def warn_tracks(sentence: str) -> None:
    """Say ``sentence`` as a :class:`TracksWarning`."""
    warnings.warn(sentence, TracksWarning, stacklevel=3)
