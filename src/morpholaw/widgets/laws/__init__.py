"""The Laws panel: search for expressions, pick one, and see what it says."""

from morpholaw.widgets.laws.panel import LawsWidget

__all__ = ["LawsWidget"]
