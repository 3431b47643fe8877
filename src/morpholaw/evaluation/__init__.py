"""Whether a classifier is right: scores, metrics, intervals, calibration, and classes along tracks."""
