"""WGAN-GP (small convolutional networks) on CIFAR-10, prepared by tensorflow-datasets.

python -m experiments.train wgan_gp_cifar10 --data-dir DIR

For a processor; `wgan_gp_cifar10_published` has the networks of the paper's code.

At step 1,500 (seed 0, 14 minutes on one core of an Intel Xeon, 1.8 updates a second), 2,000 samples: Frechet distance
1.9 [1.6, 2.1] in 64 principal components, of held-out images 0.9; precision 0.68 and recall 0.53, of held-out images
0.64 and 0.64. Boats, planes and animals can be guessed from colours and outlines.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(32, 32, 3),
        generator=ConvGenerator(channels=16, norm="batch"),
        critic=ConvCritic(channels=16),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    ),
    data="cifar10",
    steps=1_500,
    log_every=50,
    sample_every=250,
    checkpoint_every=500,
)
