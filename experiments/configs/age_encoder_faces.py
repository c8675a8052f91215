"""Age-cGAN's encoder: the latents of faces whose age is known, under the generator of `age_cgan_faces`.

python -m experiments.train age_encoder_faces --data-dir DIR --pretrained generator=runs/age_cgan_faces:ema
python -m experiments.latents runs/age_encoder_faces project --images test:0,60,120 --features classifier \
    --classes 0-18 19-29 30-39 40-49 50-59 60+

The second command begins where the encoder points, searches on, and shows the faces at other ages.
"""

from experiments.configs.age_cgan_faces import EXPERIMENT as AGE_CGAN
from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan, latent_encoder
from jaxgen.nets.conv import ConvCritic
from jaxgen.optimizers import Adam, Optimizer

GAME: cgan.Config = AGE_CGAN.model

EXPERIMENT = Experiment(
    model=latent_encoder.Config(
        image_shape=GAME.image_shape,
        value_range=GAME.value_range,
        num_classes=GAME.num_classes,
        prior=GAME.prior,
        generator=GAME.generator,
        encoder=ConvCritic(32, norm="batch"),
        optimizer=Optimizer(5e-4, Adam()),
    ),
    data=AGE_CGAN.data,
    images=AGE_CGAN.images,
    steps=3_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
    pictures=("reconstructions",),
)
