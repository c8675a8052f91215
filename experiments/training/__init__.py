"""The training loop, what is checked before it, and what it reports."""
