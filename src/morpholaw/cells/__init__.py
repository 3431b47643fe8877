"""Pictures to a table of crops: movies, tracks, crops, labels, splits, the simulator. No torch, no Qt."""
