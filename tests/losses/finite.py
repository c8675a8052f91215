"""Distributions on four symbols with rational masses: samples of them have exact expectations."""

import numpy as np

# P = (3, 2, 1, 4) and Q = (1, 2, 4, 3), out of 10: as samples, each symbol repeated.
P, Q = np.array([3, 2, 1, 4]), np.array([1, 2, 4, 3])
SYMBOLS = np.arange(4)
REAL, FAKE = np.repeat(SYMBOLS, P), np.repeat(SYMBOLS, Q)
p, q = P / 10, Q / 10


def kl(a, b):
    """KL(a || b) in nats."""
    return float((a * np.log(a / b)).sum())


def jsd(a, b):
    """Jensen-Shannon divergence in nats."""
    return (kl(a, (a + b) / 2) + kl(b, (a + b) / 2)) / 2
