"""Input elements of the panels: forms for settings, choices, tables and error lines."""
