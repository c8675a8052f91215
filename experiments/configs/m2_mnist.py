"""Semi-supervised VAE (M2, 784-500-50) on MNIST with 100 labels.

python -m experiments.train m2_mnist --data-dir DIR
python -m experiments.evaluate runs/m2_mnist --metrics class_accuracy

The last number of --data is the seed with which the labelled images are drawn. The paper's accuracy on held-out images
is 88.0 % of M2, and 96.7 % of M2 on latents of another autoencoder.

At 10,000 updates (seed 0, 20 minutes of one core of an AMD EPYC, beside other work) it names 46.5 % of 10,000 held-out
images: far from the paper's 300,000 updates. With `--model.labelled-share 0.5 --model.classifier-weight 50`, which
counts the labelled images as much as the others, 68.3 % after 4,000; with 8 latents besides 69.0 %, with 0.1 and 10
in their place 64.4 %.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import m2
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=m2.Config(
        encoder=ConcatCondition(MLP((500,))),
        decoder=ConcatCondition(MLP((500,))),
        classifier=MLP((500,)),
        classifier_weight=1.0,
        optimizer=Optimizer(3e-4, Adam()),
    ),
    data="few_labels:mnist:100:0",
    batch_size=100,
    steps=10_000,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
)
