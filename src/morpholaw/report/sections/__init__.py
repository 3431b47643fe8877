"""The sections of the report: each a function of the material that gives blocks of a page."""
