"""U-Nets that are told the time: the denoisers of diffusion models, and classifiers of noisy images."""
