"""Readers of movies, one per file format, which all return a lazy :class:`FrameSource`."""
