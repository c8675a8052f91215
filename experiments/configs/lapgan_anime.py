"""LAPGAN (four levels from 8x8 to 64x64, narrow networks) on faces of drawn characters, 64x64.

python -m experiments.train lapgan_anime --data-dir DIR

The set is `anime_faces`, or any folder of pictures: --data folder:PATH. Each level has its own losses in the log, under
its width.

At step 5,000 (seed 0, 47 minutes on one core of an Intel Xeon, beside other work), 1,000 samples: Frechet distance
1,032 [860, 1,204] in the features of a classifier that names the hair colour of 69.0 % of held-out faces (200 held-
out faces: 149), precision .98, recall .38. Hair of many colours frames pale faces, of which many have one eye in
place of two. DCGAN beside it (`dcgan64_lakeside --data anime_faces`, 6,000 updates of its own, seed 0): 1,011 [853,
1,169], precision .92, recall .38, so that neither is ahead.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import lapgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.lapgan import BandDiscriminator, BandGenerator, DropoutMLP
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=lapgan.Config(
        image_shape=(64, 64, 3),
        levels=4,
        generator=MLP((512, 512), norm="batch"),
        discriminator=DropoutMLP((256, 256)),
        band_generator=BandGenerator(16, kernel_size=3),
        band_discriminator=BandDiscriminator(16, kernel_size=3),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        average=Exponential(0.999),
    ),
    data="anime_faces",
    images=ImageOptions(size=64, flip=True),
    batch_size=32,
    steps=5_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
)
