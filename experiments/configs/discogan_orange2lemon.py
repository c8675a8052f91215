"""DiscoGAN (the paper's networks, a quarter as wide) between oranges and lemons, 64x64, unpaired.

python -m experiments.train discogan_orange2lemon --data-dir DIR

For a processor; `discogan_orange2lemon_published` has the paper's width and minibatches.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.discogan import DiscoGANDiscriminator, DiscoGANTranslator
from jaxgen.ramps import Jump
from jaxgen.translation import discogan

EXPERIMENT = Experiment(
    model=discogan.Config(
        generator=DiscoGANTranslator(channels=16),
        discriminator=DiscoGANDiscriminator(channels=16),
        rate=Jump(0.01, 0.5, 500),
    ),
    data="orange2lemon",
    images=ImageOptions(flip=True),
    steps=2_000,
    batch_size=16,
    steps_per_call=10,
    log_every=50,
    sample_every=250,
    checkpoint_every=250,
    num_samples=24,
)
