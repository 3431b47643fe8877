"""Readers for movies, tracks and studies that are dropped on the viewer, and the sample data."""
