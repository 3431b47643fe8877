"""The number of pixels in the convex hull of each mask of a stack, vectorised over masks."""

from __future__ import annotations

import numpy as np


def hull_pixels(masks: np.ndarray) -> np.ndarray:
    """Return the number of pixels whose centres are in the convex hull of a mask's pixel centres.

    The hulls are computed with Andrew's monotone chain, row by row for all masks together, and their pixels are counted
    with Pick's theorem. The result equals that of scikit-image's ``convex_hull_image(mask, offset_coordinates=False)``.

    Parameters
    ----------
    masks : ndarray of bool, shape (n, height, width)
        One region per mask.

    Returns
    -------
    ndarray
        int64 (n,); 0 for an empty mask.
    """
    filled = np.asarray(masks.any(axis=2))
    width = masks.shape[2]
    left = masks.argmax(axis=2).astype(np.int64)
    right = width - 1 - masks[:, :, ::-1].argmax(axis=2).astype(np.int64)
    first, last = filled.argmax(axis=1), masks.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    twice_left, on_left = _chain(filled, left)
    twice_right, on_right = _chain(filled, -right)  # the right side, mirrored, is a left side
    index = np.arange(len(masks))
    top = right[index, first] - left[index, first]
    bottom = right[index, last] - left[index, last]
    # Each chain encloses an area with the y axis (left) or its mirror image (right).
    twice_area = -twice_right - twice_left
    boundary = on_left + on_right + top + bottom
    some = np.asarray(filled.any(axis=1))
    flat = some & (first == last)
    # Pick: pixels = area + boundary / 2 + 1. All terms are doubled to stay in integers.
    count = (twice_area + boundary + 2) // 2
    count[flat] = top[flat] + 1
    return np.where(some, count, 0)


def _chain(filled: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return twice the integral of the convex chain left of the points x(row), and the lattice steps along it."""
    n, height = x.shape
    index = np.arange(n)
    stack_x = np.zeros((n, height + 1), np.int64)
    stack_y = np.zeros((n, height + 1), np.int64)
    depth = np.zeros(n, np.int64)
    for row in range(height):
        active = filled[:, row]
        while True:
            some = np.flatnonzero(active & (depth >= 2))
            a, b = depth[some] - 2, depth[some] - 1
            y0, x0 = stack_y[some, a], stack_x[some, a]
            y1, x1 = stack_y[some, b], stack_x[some, b]
            # Drop the last point if it is on or right of the line from the point before it to this one.
            outside = (x1 - x0) * (row - y0) >= (x[some, row] - x0) * (y1 - y0)
            if not outside.any():
                break
            depth[some[outside]] -= 1
        here = index[active]
        stack_x[here, depth[here]] = x[here, row]
        stack_y[here, depth[here]] = row
        depth[here] += 1
    step = np.arange(1, height + 1) < depth[:, None]
    dy = np.where(step, np.diff(stack_y, axis=1), 0)
    dx = np.where(step, np.diff(stack_x, axis=1), 0)
    twice = np.where(step, (stack_x[:, 1:] + stack_x[:, :-1]) * dy, 0).sum(axis=1)
    return twice, np.gcd(dy, dx).sum(axis=1)
