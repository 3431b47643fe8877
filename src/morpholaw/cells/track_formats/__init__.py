"""Readers of tracks, one per file format; each returns the raw track table."""
