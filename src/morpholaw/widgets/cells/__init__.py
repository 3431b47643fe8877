"""The Cells panel: cut the cells of a movie into crops, look at them and label them."""
