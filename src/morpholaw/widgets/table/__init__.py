"""The Cell table panel: the cells of the study in rows."""
