"""Expression sizes are the paper's (appendix C, table 1)."""

from itertools import pairwise

import torch

from morpholaw.models.expression_size import batchnorm_size, dense_size, sparse_size


def test_dense_heads_have_the_sizes_of_table_1() -> None:
    widths = (32, 16, 16, 16, 1)
    assert dense_size(widths) == 8641
    assert batchnorm_size(widths) == 9697


def test_sparse_size_counts_connected_neurons_only() -> None:
    first = torch.zeros(4, 3, dtype=torch.bool)
    first[0, 0] = first[1, 0] = first[2, 1] = True  # two neurons, of 2 and 1 sources; the third has none
    last = torch.tensor([[True], [True], [False]])
    expected = (8 * 2 + 1) + (8 * 1 + 1) + (4 * 2 + 1)
    assert sparse_size([first, last]) == expected
    both = sparse_size([torch.stack([first, first & False]), torch.stack([last, last & False])])
    assert both.tolist() == [expected, 1]


def test_a_fully_connected_mask_differs_from_eq_11_by_seven_a_hidden_neuron() -> None:
    widths = (32, 16, 16, 16, 1)
    masks = [torch.ones(n, m, dtype=torch.bool) for n, m in pairwise(widths)]
    assert sparse_size(masks) == dense_size(widths) - 7 * 48
