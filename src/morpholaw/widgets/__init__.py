"""napari dock widgets, thin over a Study: one room a panel, and the rooms that panels share.

Panels: :mod:`cells`, :mod:`latents`, :mod:`classify`, :mod:`perturb`, :mod:`laws`, :mod:`network`. Shared by them:
:mod:`study`, :mod:`jobs`, :mod:`forms`, :mod:`pictures`, :mod:`movie`. Opened by napari itself: :mod:`files`.
A panel imports no other panel.
"""
