"""What an index shows: the README, whose links and pictures lead to the project's page and not to files beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?\[[^\]]*\]\()(?!https?:|#)([^)\s]+\))")


def absolute(text: str, project: str) -> str:
    """Return Markdown whose relative links are links into the project's page, and whose pictures are its files."""
    return _LINK.sub(lambda found: f"{found[1]}{project}/{_kind(found[1])}/main/{found[2]}", text)


def _kind(begin: str) -> str:
    return "raw" if begin.startswith("!") else "blob"


class ReadmeHook(MetadataHookInterface):
    """Gives the package its README."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the package's long description."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = absolute(text, metadata["urls"]["Source"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
