"""The Lineages panel: families of tracked cells as trees."""
