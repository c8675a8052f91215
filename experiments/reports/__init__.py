"""A page on several runs: what is read of them, and its HTML."""
