"""Computations that do not block the window: jobs with progress and Stop, and calls that follow a slider."""
