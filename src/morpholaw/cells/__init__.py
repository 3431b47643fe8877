"""Cells: movies, tracks, crops, labels, shapes, splits and the simulator. Needs neither torch nor Qt."""
