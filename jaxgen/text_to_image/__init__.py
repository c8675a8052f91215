"""Models that make images of texts."""
