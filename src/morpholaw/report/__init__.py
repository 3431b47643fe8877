"""What a study found, as one page of HTML that needs nothing else; and one page for each law."""

from __future__ import annotations

from morpholaw.report.card import law_card
from morpholaw.report.writing import write_report

__all__ = ["law_card", "write_report"]
