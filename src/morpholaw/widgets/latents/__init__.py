"""The Latents panel: train or load the beta-TCVAE, see what each latent looks like, and name them."""
