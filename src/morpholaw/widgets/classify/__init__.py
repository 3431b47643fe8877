"""The Classify panel: train the models of a scheme, compare schemes, and score the movie."""

from morpholaw.widgets.classify.panel import ClassifyWidget

__all__ = ["ClassifyWidget"]
