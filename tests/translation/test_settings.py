"""Settings of the family: the numbers of the papers by default."""

from jaxgen.gans.objectives import LeastSquares, NonSaturating
from jaxgen.moving_averages import NoAverage
from jaxgen.optimizers import Adam, LinearDecay, Optimizer, RMSProp
from jaxgen.priors import Normal, Uniform
from jaxgen.ramps import Jump
from jaxgen.translation import (
    bicyclegan,
    ccgan,
    context_encoder,
    cyclegan,
    discogan,
    dualgan,
    munit,
    partial_conv,
    pix2pix,
    pixelda,
    sigan,
    srgan,
    srresnet,
    stargan,
    tp_gan,
    unit,
)
from jaxgen.translation.errors import SquaredError
from jaxgen.translation.masks import RandomSquare, Strokes
from jaxgen.translation.templates import Template
from tests.papers import each_of, settings_of

DCGAN = Optimizer(2e-4, Adam(b1=0.5))


def images(size, **others):
    return {"image_shape": (size, size, 3), "value_range": (-1.0, 1.0), "average": NoAverage()} | others


def both(optimizer):
    return {"generator_optimizer": optimizer, "discriminator_optimizer": optimizer}


MUNIT = both(Optimizer(1e-4, Adam(b1=0.5), weight_decay=1e-4)) | {
    "objective": LeastSquares(),
    "adversarial_weight": 2.0,  # one of both terms of the authors' least squares, halved here
    "reconstruction_weight": 10.0,
}
PAPERS = {
    # Isola et al., section 3.3 and the authors' code.
    pix2pix: images(256, input_shape=(256, 256, 3), objective=NonSaturating(), l1_weight=100.0) | both(DCGAN),
    # Zhu et al. 2017b, section 5 and the authors' code.
    bicyclegan: images(256, input_shape=(256, 256, 3), code_dim=8, objective=LeastSquares(), adversarial_weight=2.0)
    | both(DCGAN)
    | {"l1_weight": 10.0, "kl_weight": 0.01, "latent_weight": 0.5},
    # Denton et al. 2016, with the weights of this package.
    ccgan: images(64, num_classes=10, masks=RandomSquare(32), reduction=4, labelled_share=1.0)
    | both(DCGAN)
    | {"objective": NonSaturating(), "adversarial_weight": 1.0, "class_weight": 1.0},
    # Pathak et al., section 5.1 and the authors' code: the generator's rate is ten times the discriminator's.
    context_encoder: images(128, side=64, overlap=4, band_weight=10.0, fill=(117.0, 104.0, 123.0))
    | both(DCGAN)
    | {
        "objective": NonSaturating(),
        "reconstruction_weight": 0.999,
        "adversarial_weight": 0.001,
        "generator_optimizer": Optimizer(2e-3, Adam(b1=0.5)),
    },
    # Zhu et al. 2017a, section 4 and the authors' code.
    cyclegan: images(256, objective=LeastSquares(), adversarial_weight=2.0, cycle_weight=10.0, identity_weight=0.5)
    | both(DCGAN)
    | {"capacity": 50},
    # Kim et al., the authors' code.
    discogan: images(64, value_range=(0.0, 1.0), objective=NonSaturating(), adversarial_weight=0.1)
    | both(Optimizer(2e-4, Adam(b1=0.5), weight_decay=1e-5))
    | {"matching_weight": 0.9, "rate": Jump(0.01, 0.5, 3_333), "generator_steps": 2},
    # Yi et al., the authors' code.
    dualgan: images(256, cycle_weight=500.0, penalty_weight=10.0, clip=None, critic_steps=1)
    | both(Optimizer(5e-5, RMSProp(decay=0.9))),
    # Liu et al. and Huang et al., the authors' code.
    munit: images(256) | MUNIT | {"style_dim": 8, "style_weight": 1.0, "content_weight": 1.0, "cycle_weight": 0.0},
    unit: images(256) | MUNIT | {"kl_weight": 0.01, "cycle_weight": 10.0, "cycle_kl_weight": 0.01},
    # Liu et al. 2018, equation 7.
    partial_conv: images(512, masks=Strokes(width=48.0, length=80.0), generator_optimizer=Optimizer(2e-4, Adam()))
    | {
        "valid_weight": 1.0,
        "hole_weight": 6.0,
        "perceptual_weight": 0.05,
        "style_weight": 120.0,
        "variation_weight": 0.1,
    },
    # Bousmalis et al., appendix.
    pixelda: images(32, num_classes=10, prior=Uniform(10), objective=NonSaturating())
    | both(Optimizer(1e-3, Adam(b1=0.5), clip_norm=5.0))
    | {"adversarial_weight": 1.0, "task_weight": 1.0},
    # Hsu et al., with the weights of this package.
    sigan: images(32, input_shape=(8, 8, 3), num_classes=10, embedding_dim=64, objective=NonSaturating(), margin=1.0)
    | both(DCGAN)
    | {"reduced_weight": 1.0, "contrastive_weight": 0.1, "adversarial_weight": 0.01},
    # Ledig et al., section 3.2.
    srgan: images(96, input_shape=(24, 24, 3), objective=NonSaturating(), error=SquaredError(), error_weight=0.0)
    | both(Optimizer(1e-4, Adam()))
    | {"feature_error": SquaredError(), "feature_weight": 1 / 12.75**2, "adversarial_weight": 1e-3},
    srresnet: images(96, input_shape=(24, 24, 3), error=SquaredError(), generator_optimizer=Optimizer(1e-4, Adam())),
    # Choi et al., section 5 and the authors' code.
    stargan: images(128, num_classes=5, penalty_weight=10.0, class_weight=1.0, reconstruction_weight=10.0)
    | {
        "discriminator_steps": 5,
        "generator_optimizer": Optimizer(1e-4, Adam(b1=0.5), LinearDecay(40_000, begin=20_000)),
        "discriminator_optimizer": Optimizer(1e-4, Adam(b1=0.5), LinearDecay(200_000, begin=100_000)),
    },
    # Huang et al. and the authors' code: the scales, the parts and the labels of real images.
    tp_gan: images(128, num_classes=340, template=Template(), prior=Normal(100), noise_deviation=0.02)
    | both(Optimizer(1e-4, Adam()))
    | {
        "objective": NonSaturating(smoothing=0.1),
        "scale_weights": (1.0, 1.0, 1.5),
        "symmetry_weight": 0.3,
        "adversarial_weight": 1e-3,
        "identity_weight": 3e-3,
        "variation_weight": 1e-4,
        "class_weight": 1e-3,
        "parts_weight": 0.3,
    },
}


@each_of(PAPERS)
def test_settings_by_default_are_the_papers(model):
    assert settings_of(model) == PAPERS[model]
