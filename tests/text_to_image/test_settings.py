"""Settings of the family: the numbers of the papers by default."""

from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.predictions import Noise
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import ScaledLinearBetas
from jaxgen.diffusion.times import UniformTimes
from jaxgen.diffusion.weights import Squared, Unweighted
from jaxgen.gans.objectives import NonSaturating
from jaxgen.gans.regularization import Slope
from jaxgen.moving_averages import Constant, NoAverage
from jaxgen.optimizers import Adam, Optimizer, RMSProp
from jaxgen.priors import Normal
from jaxgen.text_to_image import caption_encoder, gan_cls, latent_diffusion, stackgan, style_encoder
from jaxgen.text_to_image.latents import Compressed, FirstBatch
from jaxgen.text_to_image.matching import Structured
from tests.papers import each_of, settings_of

DCGAN = Optimizer(2e-4, Adam(b1=0.5))
IMAGES = {"image_shape": (64, 64, 3), "value_range": (-1.0, 1.0)}
REED = IMAGES | {"caption_length": 201, "text_features": 1024, "prior": Normal(100)}
GAME = REED | {
    "objective": NonSaturating(),
    "mismatch": 0.5,
    "r1": Slope(weight=0.0, every=1),
    "generator_optimizer": DCGAN,
    "discriminator_optimizer": DCGAN,
    "average": NoAverage(),
}
PAPERS = {
    # Reed et al. 2016, the authors' code of the embedding.
    caption_encoder: IMAGES
    | {
        "caption_length": 201,
        "features": 1024,
        "objective": Structured(),
        "optimizer": Optimizer(7e-4, RMSProp(0.99)),
    },
    # Reed et al. 2016, section 5 and algorithm 1.
    gan_cls: GAME | {"interpolation": 1.0},
    style_encoder: REED | {"optimizer": DCGAN},
    # Zhang et al. 2017, section 3.4 and the authors' code.
    stackgan: GAME | {"code_features": 128, "stage_one": None, "kl_weight": 2.0},
    # Rombach et al. 2022, table 15: text to image on LAION.
    latent_diffusion: {
        "image_shape": (256, 256, 3),
        "value_range": (-1.0, 1.0),
        "caption_length": 128,
        "autoencoder": Compressed(),
        "scale": FirstBatch(),
        "text_frozen": False,
        "caption_dropout": 0.1,
        "schedule": ScaledLinearBetas(first=0.0015, last=0.0195),
        "prediction": Noise(),
        "times": UniformTimes(),
        "weight": Unweighted(),
        "distance": Squared(),
        "sampler": DDIM(250),
        "guidance": ClassifierFree(5.0),
        "optimizer": Optimizer(1e-4, Adam()),
        "average": Constant(0.9999),
    },
}


@each_of(PAPERS)
def test_settings_by_default_are_the_papers(model):
    assert settings_of(model) == PAPERS[model]
