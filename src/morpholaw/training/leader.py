"""Which of several processes that ``torchrun`` started writes the results. No torch."""

from __future__ import annotations

import os


def leads() -> bool:
    """Whether this process writes to the study: alone, or the first of a group."""
    together = int(os.environ.get("WORLD_SIZE", "1")) > 1 and "MASTER_ADDR" in os.environ
    return not together or int(os.environ.get("RANK", "0")) == 0
