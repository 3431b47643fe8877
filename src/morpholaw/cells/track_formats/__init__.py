"""Readers of tracks, one per file format, which return the raw track table."""
