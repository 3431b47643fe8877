"""The Latents panel: train or load the encoder, look at its latents and name them."""
