"""(placeholder until the losses author writes the real file)"""
def wasserstein_critic(real_scores, fake_scores): return fake_scores - real_scores
def wasserstein_generator(fake_scores): return -fake_scores
