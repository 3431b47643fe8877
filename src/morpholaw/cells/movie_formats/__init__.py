"""Readers of movies, one per file format; each returns the same lazy :class:`FrameSource`."""
