"""Parts of panels that show results: figures, grids of images, slices of a function of the latents."""
