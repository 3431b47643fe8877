"""Interpretation of classifiers: traversals, attacks, sub-networks, decision boundaries, vetoes and constraints."""
