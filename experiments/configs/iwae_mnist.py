"""Importance-weighted autoencoder (784-200-200-50) on MNIST, binarised at each step.

python -m experiments.train iwae_mnist --data-dir DIR --steps 40000             # as measured below
python -m experiments.train iwae_mnist --data-dir DIR --batch-size 20 --model.objective.num-samples 50 \\
    --model.optimizer.learning-rate 1e-3 --model.optimizer.schedule.end 8200000 --steps 8200000  # as published

Nats per image, seed 0, on the first 1,000 test images, binary pixels drawn once from the grey levels, by `python -m
experiments.likelihood RUN --step N --num-latents 1000`; minutes at the 42 updates a second that one core of an Intel
Xeon does when it has nothing else to do (beside other work it took 2.5 times as long):

| updates | minutes | -ELBO | -log p(x), 1,000 weights |
|---|---|---|---|
| 5,000 | 2 | 111.08 | 96.95 |
| 10,000 | 4 | 107.14 | 93.78 |
| 20,000 | 8 | 103.55 | 91.43 |
| 30,000 | 12 | 101.11 | 90.12 |
| 40,000 | 16 | 98.31 | 89.01 +- 0.75 |

All 10,000 test images at 40,000 updates: -ELBO 98.39 +- 0.25, -log p(x) 90.06 +- 0.24 by 100 weights and 89.71 by 200;
22 of 50 latents are active.

pythae publishes, for MNIST binarised once and for all, 89.78 of a VAE (784-400, 200 weights) and 86.82 of an IWAE with
these networks and 50 samples (5,000 weights) after 3,280 epochs in batches of 20. Those are 8.2 million updates, of
which the same core does 42 a second too: 54 hours. On the way, 2,000 updates of 20 images with 50 samples (1e-3,
falling to 0 at 4,000) have brought the bound to 134.1, where 2,000 of 100 images with 10 samples, which cost the same,
have brought it to 120.6, and with 2e-3 (as here) to 111.7.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.bounds import ImportanceWeighted
from jaxgen.autoencoders.networks import BURDA
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=50,
        encoder=BURDA.encoder,
        decoder=BURDA.decoder,
        objective=ImportanceWeighted(10),
        optimizer=Optimizer(2e-3, Adam(eps=1e-4), schedule=LinearDecay(50_000)),
    ),
    data="mnist",
    steps=50_000,
    batch_size=100,
    sample_every=5_000,
    checkpoint_every=5_000,
    pictures=("samples", "reconstructions"),
)
