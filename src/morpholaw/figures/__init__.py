"""Figures, one function each: arrays in, a :class:`matplotlib.figure.Figure` out, no pyplot state.

Import the module of a figure (``from morpholaw.figures.rashomon import rashomon``); only then is matplotlib loaded.
Every function takes ``theme`` (:data:`morpholaw.figures.style.LIGHT` or ``DARK``) and ``figsize`` in inches. With
``(width, None)`` the function chooses the height, which suits a dock of known width.
"""
