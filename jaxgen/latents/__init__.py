"""What is done in the latent space of any trained model: pure functions of latent vectors, without a network."""
