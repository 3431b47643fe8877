"""What a learnt model does: traversals, attacks, disentanglement, sub-networks, boundaries, constraints."""
