"""napari dock widgets, thin over a Study: one room per panel, and the rooms that the panels share.

Panels: :mod:`cells`, :mod:`latents`, :mod:`classify`, :mod:`perturb`, :mod:`laws`, :mod:`network`. Shared by them:
:mod:`study`, :mod:`jobs`, :mod:`forms`, :mod:`pictures`, :mod:`movie`. Called by napari itself: :mod:`napari_readers`.
A panel imports no other panel.
"""
