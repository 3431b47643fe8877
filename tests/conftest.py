"""Fixtures that several test folders share."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets that are beside, not inside, the repository."""
    if not _SHARED.is_dir():
        pytest.skip(f"needs the real data sets in {_SHARED}, which this machine does not have")
    return _SHARED
