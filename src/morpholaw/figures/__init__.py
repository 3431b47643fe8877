"""One function per figure: arrays in, a :class:`matplotlib.figure.Figure` out, no pyplot state.

Import the file that holds the figure (``from morpholaw.figures.rashomon import rashomon``): matplotlib loads
only then. Every function takes ``theme`` (:data:`morpholaw.figures.style.LIGHT` or ``DARK``) and ``figsize``
in inches; ``(width, None)`` leaves the height to the figure, which suits a dock of known width.
"""
