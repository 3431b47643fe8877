"""Duration of ``import morpholaw`` and ``morpholaw --help``."""

from __future__ import annotations

import subprocess
import sys

from morpholaw.bench.comparison import Comparison
from morpholaw.bench.timing import in_turn

IMPORT_LIMIT = 0.15
"""Limit of the import time beyond a bare interpreter, in seconds."""
HELP_LIMIT = 0.5
"""Limit of the time for ``morpholaw --help``, in seconds."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the seconds of the import beyond a bare interpreter, and of the command's help."""
    bare, with_import, with_help = in_turn(
        lambda: _python("-c", "pass"),
        lambda: _python("-c", "import morpholaw"),
        lambda: _python("-m", "morpholaw.cli", "--help"),
        rounds=21 if full else 11,
    )
    over = [max(total - alone, 1e-4) for total, alone in zip(with_import, bare, strict=True)]
    return [
        Comparison(over, [IMPORT_LIMIT], "limit of the import over bare Python", 1, "s"),
        Comparison(with_help, [HELP_LIMIT], "limit of morpholaw --help", 1, "s"),
    ]


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
