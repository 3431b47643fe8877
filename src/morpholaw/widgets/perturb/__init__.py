"""The Perturb panel: what must change in a cell for a classifier to predict another class."""
