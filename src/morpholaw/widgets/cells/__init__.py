"""The Cells panel: cut a movie's cells into crops, look at them, label them."""
