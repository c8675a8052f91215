"""Models that make images of images: paired, unpaired, larger."""
