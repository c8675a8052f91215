"""PixelDA (the authors' networks, narrower and with three blocks) from MNIST to MNIST-M, 28x28.

python -m experiments.train pixelda_mnist_m --data-dir DIR
python -m experiments.adaptation runs/pixelda_mnist_m

The second command tells how well target digits are recognised with and without adaptation. For a processor;
`pixelda_mnist_m_published` has the authors' settings.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import pixelda

ADAM = Optimizer(5e-4, Adam(b1=0.5), clip_norm=5.0)

EXPERIMENT = Experiment(
    model=pixelda.Config(
        image_shape=(28, 28, 3),
        generator=NoisyTranslator(channels=16, blocks=3),
        discriminator=NoisyDiscriminator(channels=16),
        classifier=DomainClassifier(channels=(16, 32)),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    ),
    data="unpaired:mnist,mnist_m_subset",
    images=ImageOptions(size=28, channels=3),
    steps=4_000,
    batch_size=32,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=48,
)
