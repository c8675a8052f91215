"""Speed, measured side by side in one run. Needs the `benchmark` extra (PyTorch)."""
