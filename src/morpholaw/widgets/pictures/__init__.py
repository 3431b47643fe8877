"""Parts that panels show with: figures, grids of pictures, slices of a function of the latents."""
