"""Sections of the report. Each is a function that returns blocks of a page for the given material."""
