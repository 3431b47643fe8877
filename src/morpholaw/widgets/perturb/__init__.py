"""The Perturb panel: perturbations that change the predicted class of a cell."""
