"""What is learnt: the beta-TCVAE, the CNN, dense and sparse heads, expressions and laws, the saved bundle."""
