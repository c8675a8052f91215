"""pix2pix (the paper's networks, half as wide) from street photographs to label maps, CamVid, 64x64.

python -m experiments.train pix2pix_camvid --data pairs:camvid_pix2pix

A picture of the folder holds the photograph on the left and the colours of its labels on the right. From labels to
photographs: --images.swap --images.label-maps inputs. For a processor.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.pix2pix import PatchDiscriminator, UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import pix2pix

EXPERIMENT = Experiment(
    model=pix2pix.Config(
        input_shape=(64, 64, 3),
        image_shape=(64, 64, 3),
        generator=UNetTranslator(channels=32, downs=6),
        discriminator=PatchDiscriminator(channels=32, layers=2),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
    ),
    data="pairs:camvid_pix2pix",
    images=ImageOptions(size=64, crop="random", flip=True, label_maps="targets"),
    steps=9_000,
    batch_size=4,
    steps_per_call=25,
    log_every=100,
    sample_every=1_500,
    checkpoint_every=1_500,
    num_samples=24,
)
