"""Networks (flax.linen modules). No losses, optimisers or devices in here."""
