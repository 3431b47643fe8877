"""Models: the beta-TCVAE, the CNN, dense and sparse heads, expressions and laws, feature tables, saved bundles."""
