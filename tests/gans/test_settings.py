"""Settings of the family: the numbers of the papers by default, taken at their bound and refused beyond it."""

import dataclasses

import pytest

from jaxgen.gans import (
    ac_wgan_gp,
    acgan,
    ali,
    began,
    bgan,
    cgan,
    clustergan,
    cogan,
    ebgan,
    gan,
    improved_gan,
    infogan,
    lapgan,
    latent_encoder,
    multi_label,
    unrolled_gan,
    wgan,
    wgan_gp,
)
from jaxgen.gans.codes import CodeSettings
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.drawing import Drawing
from jaxgen.gans.drawn_penalties import Divergence, Perturbed
from jaxgen.gans.objectives import Energy, LeastSquares, Minimax, NonSaturating
from jaxgen.gans.regularization import Consistency, LatentConsistency, LeCam, Regularization, Slope
from jaxgen.gans.top_k import TopK
from jaxgen.moving_averages import Exponential, NoAverage
from jaxgen.nets import initializers
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, InverseTime, LinearDecay, Optimizer, RMSProp
from jaxgen.priors import Normal, Uniform
from tests.papers import each_of, settings_of

GREY = {"image_shape": (28, 28, 1), "value_range": (0.0, 1.0)}
CIFAR = {"image_shape": (32, 32, 3), "value_range": (-1.0, 1.0)}
OFF = Regularization(
    consistency=Consistency(real=0.0, fake=0.0, shift=0.125, flip=True),
    lecam=LeCam(weight=0.0, decay=0.99, begin=0, one_sided=True),
    r1=Slope(weight=0.0, every=1),
    r2=Slope(weight=0.0, every=1),
    top_k=TopK(gamma=1.0, least=0.5, every=1000),
    latent=LatentConsistency(discriminator=0.0, generator=0.0, std=0.03),
    perturbed=Perturbed(weight=0.0, scale=0.5),
    divergence=Divergence(weight=0.0, power=6.0),
)
PLAIN = {"discrimination": Discrimination(joint=False, flip=0.0), "regularization": OFF, "average": NoAverage()}
MOMENTUM, DCGAN, IMPROVED = SGD(momentum=0.5), Adam(b1=0.5), Adam(b1=0.0, b2=0.9)


def both(optimizer, opponent="discriminator"):
    return {"generator_optimizer": optimizer, f"{opponent}_optimizer": optimizer}


PAPERS = {
    # The authors' Pylearn2 configuration for MNIST: noise of unit variance, rates that fall as 1 / (1 + 4e-6 t).
    gan: GREY
    | PLAIN
    | {
        "prior": Uniform(100, 3**0.5),
        "objective": NonSaturating(),
        "discriminator_steps": 1,
        "generator_optimizer": Optimizer(0.1, MOMENTUM, schedule=InverseTime(4e-6)),
        "discriminator_optimizer": Optimizer(0.05, MOMENTUM, schedule=InverseTime(4e-6)),
    },
    # Mirza & Osindero, section 4.1.
    cgan: GREY
    | PLAIN
    | both(Optimizer(0.1, MOMENTUM))
    | {"prior": Uniform(100, 1.0), "objective": NonSaturating(), "num_classes": 10}
    | {"discriminator_steps": 1, "generator_batches": 1, "drawing": Drawing(threshold=None, standing=0)},
    # Odena et al., appendix A, for CIFAR-10.
    acgan: CIFAR
    | PLAIN
    | both(Optimizer(2e-4, DCGAN))
    | {"prior": Normal(100), "objective": NonSaturating(), "class_weight": 1.0, "num_classes": 10},
    # Chen et al., appendix C.1: one code of ten classes, two continuous ones, 62 of noise.
    infogan: GREY
    | PLAIN
    | {
        "codes": CodeSettings((10,), 2, fixed_std=True),
        "noise": Uniform(62, 1.0),
        "objective": NonSaturating(),
        "categorical_weight": 1.0,
        "continuous_weight": 1.0,
        "generator_optimizer": Optimizer(1e-3, DCGAN),
        "discriminator_optimizer": Optimizer(2e-4, DCGAN),
    },
    # Metz et al., the authors' notebook for a ring of Gaussians.
    unrolled_gan: {
        "image_shape": (2,),
        "value_range": None,
        "prior": Normal(256),
        "objective": Minimax(),
        "unrolled_steps": 5,
        "generator_optimizer": Optimizer(1e-3, DCGAN),
        "discriminator_optimizer": Optimizer(1e-4, Adam(b1=0.5, eps_root=1e-8)),
    },
    # Zhao et al., settings of their grid search for MNIST, with the weight of their pulling-away term.
    ebgan: GREY
    | both(Optimizer(1e-3, Adam()))
    | {"prior": Normal(100), "code_dim": 64, "margin": 10.0, "pull_away_weight": 0.1, "average": NoAverage()},
    # Dumoulin et al., for CIFAR-10.
    ali: both(Optimizer(1e-4, DCGAN))
    | {
        "image_shape": (32, 32, 3),
        "value_range": (0.0, 1.0),
        "prior": Normal(64),
        "stochastic": True,
        "joint": False,
        "average": NoAverage(),
    },
    # Liu & Tuzel, the authors' code for digits and edges.
    cogan: GREY
    | both(Optimizer(2e-4, DCGAN))
    | {"prior": Normal(100), "objective": NonSaturating(), "average": NoAverage()},
    # Mukherjee et al., the authors' code for MNIST.
    clustergan: GREY
    | both(Optimizer(1e-4, Adam(b1=0.5, b2=0.9)), "critic")
    | {
        "num_clusters": 10,
        "noise_dim": 30,
        "noise_std": 0.1,
        "penalty_weight": 10.0,
        "one_sided": False,
        "critic_steps": 5,
        "noise_weight": 10.0,
        "class_weight": 10.0,
        "regularization": OFF,
        "encoder_optimizer": Optimizer(1e-4, Adam(b1=0.5, b2=0.9)),
        "average": NoAverage(),
    },
    # Berthelot et al., for faces of 64x64.
    began: both(Optimizer(1e-4, Adam()))
    | {
        "image_shape": (64, 64, 3),
        "value_range": (-1.0, 1.0),
        "prior": Uniform(64, 1.0),
        "diversity_ratio": 0.5,
        "balance_rate": 0.001,
        "average": NoAverage(),
    },
    # Hjelm et al., the authors' code for binary MNIST.
    bgan: GREY | both(Optimizer(1e-4, Adam(b1=0.5))) | {"prior": Normal(64), "draws": 20, "average": NoAverage()},
    # Tsai & Lee's idea; the settings are this package's.
    multi_label: both(Optimizer(1e-3, Adam()))
    | {
        "image_shape": (32, 32, 3),
        "value_range": (-1.0, 1.0),
        "num_attributes": 40,
        "adversarial_weight": 0.1,
        "objective": NonSaturating(),
    },
    # Salimans et al., the authors' code for MNIST with few labels, without the fall of the rate.
    improved_gan: GREY
    | both(Optimizer(3e-3, DCGAN))
    | {
        "num_classes": 10,
        "prior": Uniform(100, 1.0),
        "objective": NonSaturating(),
        "unlabelled_weight": 0.5,
        "feature_weight": 1.0,
        "adversarial_weight": 0.0,
        "historical_weight": 0.0,
        "average": NoAverage(),
        "classifier_average": NoAverage(),
    },
    # In the manner of Denton et al., section 4.1, for CIFAR-10, without the change of rate and momentum.
    lapgan: CIFAR
    | both(Optimizer(0.02, MOMENTUM))
    | {"levels": 3, "prior": Uniform(100, 1.0), "objective": NonSaturating(), "average": NoAverage()},
    # Antipov et al., section 2.2; the optimiser is this package's.
    latent_encoder: {
        "image_shape": (64, 64, 3),
        "value_range": (-1.0, 1.0),
        "num_classes": 0,
        "prior": Normal(100),
        "latent_weight": 1.0,
        "image_weight": 0.0,
        "optimizer": Optimizer(2e-4, DCGAN),
    },
    # Arjovsky et al., Algorithm 1.
    wgan: both(Optimizer(5e-5, RMSProp()), "critic")
    | {
        "image_shape": (64, 64, 3),
        "value_range": (-1.0, 1.0),
        "prior": Normal(100),
        "clip": 0.01,
        "regularization": OFF,
        "critic_steps": 5,
        "average": NoAverage(),
    },
    # Gulrajani et al., Algorithm 1.
    wgan_gp: both(Optimizer(1e-4, IMPROVED), "critic")
    | {
        "image_shape": (28, 28, 1),
        "value_range": (-1.0, 1.0),
        "latent_dim": 128,
        "regularization": OFF,
        "penalty_weight": 10.0,
        "one_sided": False,
        "critic_steps": 5,
        "average": Exponential(0.999),
    },
    # Gulrajani et al., the authors' code for CIFAR-10: rates fall to 0 within 100,000 updates of 5 critic steps.
    ac_wgan_gp: CIFAR
    | {
        "prior": Normal(128),
        "regularization": OFF,
        "num_classes": 10,
        "penalty_weight": 10.0,
        "one_sided": False,
        "class_weight": 1.0,
        "generator_class_weight": 0.1,
        "critic_steps": 5,
        "generator_batches": 2,
        "generator_optimizer": Optimizer(2e-4, IMPROVED, schedule=LinearDecay(100_000)),
        "critic_optimizer": Optimizer(2e-4, IMPROVED, schedule=LinearDecay(500_000)),
        "average": NoAverage(),
    },
}


@each_of(PAPERS)
def test_settings_by_default_are_the_papers(model):
    assert settings_of(model) == PAPERS[model]


def test_networks_of_goodfellow_and_of_metz_have_the_weights_of_their_codes():
    assert gan.Config().generator == MLP((1200, 1200), initializer=initializers.Uniform(0.05))
    wanted = MLP((128, 128), activation="tanh", initializer=initializers.Orthogonal(1.4))
    assert unrolled_gan.Config().generator == unrolled_gan.Config().discriminator == wanted
    assert wgan_gp.Config().critic == MLP(negative_slope=0.2)


# Settings at their bound, and beyond it with what is said of it.
BOUNDS = [
    (Discrimination(flip=0.0), {"flip": -0.1}, r"flip is -0.1, but must be in \[0, 0.5\]"),
    (Discrimination(flip=0.5), {"flip": 0.6}, r"flip is 0.6, but must be in \[0, 0.5\]"),
    (Minimax(smoothing=0.0), {"smoothing": -0.1}, r"smoothing is -0.1, but must be in \[0, 1\)"),
    (Minimax(smoothing=0.9), {"smoothing": 1.0}, r"smoothing is 1.0, but must be in \[0, 1\)"),
    (LeastSquares(), {"real_code": 0.0}, "real_code is 0.0, but must be another than fake_code"),
    (Consistency(), {"real": -1.0}, "real is -1.0, but must be at least 0"),
    (Consistency(), {"fake": -1.0}, "fake is -1.0, but must be at least 0"),
    (Consistency(shift=0.0), {"shift": -0.1}, r"shift is -0.1, but must be in \[0, 1\]"),
    (Consistency(shift=1.0), {"shift": 1.1}, r"shift is 1.1, but must be in \[0, 1\]"),
    (LeCam(), {"weight": -1.0}, "weight is -1.0, but must be at least 0"),
    (LeCam(decay=0.0), {"decay": -0.1}, r"decay is -0.1, but must be in \[0, 1\)"),
    (LeCam(decay=0.9), {"decay": 1.0}, r"decay is 1.0, but must be in \[0, 1\)"),
    (LeCam(), {"begin": -1}, "begin is -1, but must be at least 0"),
    (Slope(), {"weight": -1.0}, "weight is -1.0, but must be at least 0"),
    (Slope(every=1), {"every": 0}, "every is 0, but must be at least 1"),
    (TopK(gamma=0.1), {"gamma": 0.0}, r"gamma is 0.0, but must be in \(0, 1\]"),
    (TopK(gamma=1.0), {"gamma": 1.1}, r"gamma is 1.1, but must be in \(0, 1\]"),
    (TopK(least=0.1), {"least": 0.0}, r"least is 0.0, but must be in \(0, 1\]"),
    (TopK(least=1.0), {"least": 1.1}, r"least is 1.1, but must be in \(0, 1\]"),
    (TopK(every=1), {"every": 0}, "every is 0, but must be at least 1"),
    (Energy(margin=0.5), {"margin": 0.0}, "margin is 0.0, but must be above 0"),
    (CodeSettings((2,), 0), {"categorical": (1,)}, r"categorical is \(1,\), but must be numbers of at least 2 classes"),
    (CodeSettings((2,), 0), {"continuous": -1}, "continuous is -1, but must be at least 0"),
    (CodeSettings((), 1), {"continuous": 0}, "continuous is 0, but must be at least 1 where no code is categorical"),
]


@pytest.mark.parametrize(("settings", "change", "message"), BOUNDS, ids=[type(row[0]).__name__ for row in BOUNDS])
def test_settings_are_taken_at_their_bound_and_refused_beyond_it(settings, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(settings, **change)
