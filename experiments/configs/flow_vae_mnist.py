"""VAE with a posterior of ten planar flows (784-300-300-40) on MNIST, binarised at each step.

python -m experiments.train flow_vae_mnist --data-dir DIR
python -m experiments.likelihood runs/flow_vae_mnist
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import flow_vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=flow_vae.Config(from_identity=True, objective=ELBO(warm_up=2_000), optimizer=Optimizer(1e-3, Adam())),
    data="mnist",
    steps=10_000,
    batch_size=100,
    steps_per_call=20,
    pictures=("samples", "reconstructions"),
)
