"""The Classify panel: train the models of a scheme, compare schemes, and score the cells of a movie."""
