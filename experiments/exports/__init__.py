"""A finished run as a folder for others: weights, settings, programs that need jax alone, a model card."""
