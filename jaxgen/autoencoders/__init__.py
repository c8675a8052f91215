"""Autoencoders, one module a model."""
