"""The HTML report of a study, and the law card."""

from __future__ import annotations

from morpholaw.report.card import law_card
from morpholaw.report.writing import write_report

__all__ = ["law_card", "write_report"]
