"""Learnt models: encoder, CNN, heads, expressions and laws, feature tables and saved bundles."""
