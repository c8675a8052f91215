"""What is done in the latent space of any trained model: pure functions of latents, and of generators as functions."""
