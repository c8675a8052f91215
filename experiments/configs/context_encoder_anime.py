"""Context encoder (the authors' networks, half as wide) on drawn faces, 64x64, whose middle 28x28 are filled.

python -m experiments.train context_encoder_anime --data-dir DIR

For a processor; `context_encoder_paris_published` has the width and size of the authors. The fill is the mean pixel of
the faces.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.context_encoder import ContextDiscriminator, ContextEncoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import context_encoder

EXPERIMENT = Experiment(
    model=context_encoder.Config(
        image_shape=(64, 64, 3),
        side=32,
        overlap=2,
        fill=(178.0, 154.0, 157.0),
        generator=ContextEncoder(channels=32, bottleneck=512),
        discriminator=ContextDiscriminator(channels=32),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(1e-4, Adam(b1=0.5)),
    ),
    data="anime_faces",
    images=ImageOptions(flip=True),
    steps=8_000,
    batch_size=32,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=48,
)
