"""Generative adversarial networks, one module a model."""
