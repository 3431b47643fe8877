"""The Cells panel: cut crops from a movie, look at them and label them."""
