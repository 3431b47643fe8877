"""Parts of panels that show results: figures, grids of images, and slices of functions."""
