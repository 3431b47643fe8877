"""napari dock widgets over a Study: one package per panel, and the packages that the panels share.

Panels: :mod:`cells`, :mod:`latents`, :mod:`classify`, :mod:`perturb`, :mod:`laws`, :mod:`network`, :mod:`timeline`,
:mod:`table`, :mod:`map`, :mod:`lineages`. Shared by them: :mod:`study`, :mod:`jobs`, :mod:`forms`, :mod:`pictures`,
:mod:`movie`. Called by napari: :mod:`napari_readers`. A panel imports no other panel.
"""
