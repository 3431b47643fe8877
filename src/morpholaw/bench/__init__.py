"""Benchmarks (``morpholaw bench``): each row measures Morpholaw and a peer in the same process."""

ROWS = {
    "tcvae": "beta-TCVAE training, batch 256",
    "heads": "ten dense heads, 100 epochs",
    "search": "RigL search, 200 trials x 5 runs x 40 epochs",
    "fgsm": "FGSM curves, ten models",
    "crops": "crops cut from a tiled 16-bit movie",
    "classify": "cells classified, movie in, table out",
    "laws": "symbolic search, time to goal",
    "growth": "cost per crop as a study grows",
    "busy": "training beside busy processes, against the fair share",
    "gui": "the window while an encoder trains",
    "startup": "import and --help",
}
"""Names of the rows in the order of the table, and what each measures."""
