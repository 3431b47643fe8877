"""What a classifier does: traversals, attacks, sub-networks, boundaries, vetoes, domain constraints."""
