"""Settings of the family: the numbers of the papers by default, bounds, and the names of what an update logs."""

import dataclasses
import functools

import jax
import pytest

from jaxgen.autoencoders import (
    aae,
    autoencoder,
    cvae,
    factor_vae,
    flow_vae,
    hierarchical_vae,
    joint_vae,
    m2,
    networks,
    vae,
    vamp_vae,
    vq_vae,
    vq_vae_2,
    vqgan,
    wae,
    wae_gan,
)
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.bounds import ELBO, Capacity, ImportanceWeighted
from jaxgen.autoencoders.categorical import ConstantTemperature
from jaxgen.autoencoders.codebook import ByGradient, ByMovingAverage
from jaxgen.autoencoders.corruption import Clean, GaussianNoise, MaskingNoise, SaltAndPepper
from jaxgen.autoencoders.joint_vae import JointCapacity
from jaxgen.autoencoders.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian, LearnedGaussian
from jaxgen.autoencoders.vq_vae_2 import Both
from jaxgen.nets.code_transformer import CodeTransformer
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.vq_vae_2 import GivenTop
from jaxgen.optimizers import Adagrad, Adam, Optimizer, RMSProp
from jaxgen.testing import random_batches
from jaxgen.translation.errors import SquaredError
from tests.papers import settings_of

GREY = {"image_shape": (28, 28, 1), "value_range": (0.0, 1.0)}
ADVERSARIAL = Optimizer(3e-4, Adam(b1=0.5))
PAPERS = {
    # The house's rates: the paper's belong to a cost of which it does not give the scale.
    aae: GREY
    | {
        "latent_dim": 8,
        "autoencoder_optimizer": ADVERSARIAL,
        "encoder_optimizer": ADVERSARIAL,
        "discriminator_optimizer": ADVERSARIAL,
    },
    # The course's 784-128-64-12-2 (docs/courses.md).
    autoencoder: GREY
    | {"latent_dim": 2, "corruption": Clean(), "optimizer": Optimizer(1e-3, Adam()), "moments_decay": 0.99},
    # Atienza, section 8.2: Keras's RMSProp.
    cvae: GREY
    | {
        "num_classes": 10,
        "latent_dim": 2,
        "prior_network": None,
        "likelihood": Bernoulli(),
        "objective": ELBO(),
        "optimizer": Optimizer(1e-3, RMSProp(decay=0.9, eps=1e-7)),
    },
    # Kim & Mnih, appendix A, dSprites.
    factor_vae: {
        "image_shape": (64, 64, 1),
        "value_range": (0.0, 1.0),
        "latent_dim": 10,
        "likelihood": Bernoulli(),
        "gamma": 35.0,
        "optimizer": Optimizer(1e-4, Adam()),
        "discriminator_optimizer": Optimizer(1e-4, Adam(b1=0.5, b2=0.9)),
    },
    # Dupont's code for MNIST, which has grey levels as targets.
    joint_vae: GREY
    | {
        "continuous_dim": 10,
        "categories": (10,),
        "temperature": ConstantTemperature(0.67),
        "straight_through": False,
        "likelihood": Bernoulli(),
        "objective": JointCapacity(gamma=30.0, continuous=5.0, discrete=5.0, steps=25_000),
        "optimizer": Optimizer(5e-4, Adam()),
    },
    # Kingma et al., section 4, 100 labels among 50,000 images; the rate of the authors' code.
    m2: GREY
    | {
        "num_classes": 10,
        "latent_dim": 50,
        "likelihood": Bernoulli(),
        "labelled_share": 0.002,
        "classifier_weight": 0.1,
        "optimizer": Optimizer(3e-4, Adam()),
    },
    # Kingma & Welling, section 5.
    vae: GREY
    | {
        "latent_dim": 20,
        "likelihood": Bernoulli(),
        "objective": ELBO(),
        "penalty": None,
        "optimizer": Optimizer(0.01, Adagrad()),
    },
    # The authors' code for MNIST, three of its five levels; a warm-up of 200 passes of 60,000 images in batches of 256.
    hierarchical_vae: GREY
    | {
        "latent_dims": (64, 32, 16),
        "widths": (256, 128),
        "norm": "batch",
        "ladder": True,
        "likelihood": Bernoulli(),
        "objective": ELBO(warm_up=47_000),
        "optimizer": Optimizer(2e-4, Adam(eps=1e-4), clip_norm=4.0),
    },
    # Rezende & Mohamed's updates of warm-up; sizes and optimiser are the house's.
    flow_vae: GREY
    | {
        "latent_dim": 40,
        "num_flows": 10,
        "from_identity": False,
        "likelihood": Bernoulli(),
        "objective": ELBO(warm_up=10_000),
        "optimizer": Optimizer(5e-4, Adam()),
    },
    # Tomczak & Welling, section 5: a warm-up of 100 passes of 50,000 images in batches of 100.
    vamp_vae: GREY
    | {
        "latent_dim": 40,
        "num_components": 500,
        "likelihood": Bernoulli(),
        "objective": ELBO(warm_up=50_000),
        "optimizer": Optimizer(5e-4, Adam()),
    },
    # van den Oord et al., Sonnet's example for CIFAR-10.
    # github.com/rosinality/vq-vae-2-pytorch, for 256x256.
    vq_vae_2: {
        "image_shape": (256, 256, 3),
        "value_range": (-1.0, 1.0),
        "halvings": 2,
        "top_halvings": 1,
        "features": 128,
        "num_codes": 512,
        "code_dim": 64,
        "codebook": ByMovingAverage(decay=0.99, epsilon=1e-5, restart_below=0.0),
        "commitment_weight": 0.25,
        "pixel_variance": 1.0,
        "autoencoder_optimizer": Optimizer(3e-4, Adam()),
        "codebook_optimizer": Optimizer(3e-4, Adam()),
        "top_prior_optimizer": Optimizer(3e-4, Adam()),
        "bottom_prior_optimizer": Optimizer(3e-4, Adam()),
    },
    vq_vae: {
        "image_shape": (32, 32, 3),
        "value_range": (-1.0, 1.0),
        "halvings": 2,
        "num_codes": 512,
        "code_dim": 64,
        "codebook": ByMovingAverage(decay=0.99, epsilon=1e-5, restart_below=0.0),
        "commitment_weight": 0.25,
        "pixel_variance": 0.25,
        "autoencoder_optimizer": Optimizer(3e-4, Adam()),
        "codebook_optimizer": Optimizer(3e-4, Adam()),
        "prior_optimizer": Optimizer(3e-4, Adam()),
    },
    # Esser et al., the authors' code for ImageNet; the transformer for faces.
    vqgan: {
        "image_shape": (256, 256, 3),
        "value_range": (-1.0, 1.0),
        "halvings": 4,
        "num_codes": 1024,
        "code_dim": 256,
        "codebook": ByGradient(),
        "commitment_weight": 0.25,
        "features": None,
        "feature_error": SquaredError(),
        "feature_weight": 1.0,
        "adversarial": Adversarial(weight=0.8, begin=250_001),
        "autoencoder_optimizer": Optimizer(5.4e-5, Adam(0.5, 0.9)),
        "codebook_optimizer": Optimizer(5.4e-5, Adam(0.5, 0.9)),
        "discriminator_optimizer": Optimizer(5.4e-5, Adam(0.5, 0.9)),
        "prior_optimizer": Optimizer(5.4e-5, Adam(0.9, 0.95)),
    },
    # Tolstikhin et al., the authors' code for MNIST.
    wae: GREY
    | {
        "latent_dim": 8,
        "cost_weight": 0.05,
        "penalty_weight": 10.0,
        "kernel_scales": (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        "optimizer": Optimizer(1e-3, Adam(b1=0.5)),
    },
    wae_gan: GREY
    | {
        "latent_dim": 8,
        "cost_weight": 0.05,
        "penalty_weight": 10.0,
        "optimizer": Optimizer(1e-3, Adam(b1=0.5)),
        "discriminator_optimizer": Optimizer(5e-4, Adam(b1=0.5)),
    },
}
every_model = pytest.mark.parametrize("model", PAPERS, ids=lambda model: model.__name__.rpartition(".")[2])


@every_model
def test_settings_by_default_are_the_papers(model):
    assert settings_of(model) == PAPERS[model]


@pytest.mark.parametrize(
    ("model", "pair"),
    [
        (autoencoder, networks.JODOIN_AUTOENCODER),
        (cvae, networks.ATIENZA_CONDITIONAL),
        (factor_vae, networks.KIM_MNIH),
        (vae, networks.KINGMA_WELLING),
        (vq_vae, networks.Pair(GridEncoder(), GridDecoder())),
        (
            vqgan,
            networks.Pair(
                LatentEncoder(128, (1, 1, 2, 2, 4), 2, (16,)),
                LatentDecoder(128, (1, 1, 2, 2, 4), 2, (16,)),
            ),
        ),
    ],
)
def test_networks_by_default_are_the_papers(model, pair):
    assert (model.Config().encoder, model.Config().decoder) == pair


NOT_NEGATIVE, SHARE = "is -0.1, but must be at least 0", r"but must be in \[0, 1\]"
# Settings at their bound, and beyond it with what is said of it.
BOUNDS = [
    (ELBO(beta=0.0), {"beta": -0.1}, f"beta {NOT_NEGATIVE}"),
    (ELBO(free_bits=0.0), {"free_bits": -0.1}, f"free_bits {NOT_NEGATIVE}"),
    (ELBO(warm_up=0), {"warm_up": -1}, "warm_up is -1, but must be at least 0"),
    (ELBO(num_samples=1), {"num_samples": 0}, "num_samples is 0, but must be at least 1"),
    (Capacity(gamma=0.0), {"gamma": -0.1}, f"gamma {NOT_NEGATIVE}"),
    (Capacity(capacity=0.0), {"capacity": -0.1}, f"capacity {NOT_NEGATIVE}"),
    (Capacity(steps=1), {"steps": 0}, "steps is 0, but must be at least 1"),
    (Capacity(num_samples=1), {"num_samples": 0}, "num_samples is 0, but must be at least 1"),
    (ImportanceWeighted(num_samples=1), {"num_samples": 0}, "num_samples is 0, but must be at least 1"),
    (GaussianNoise(std=0.0), {"std": -0.1}, f"std {NOT_NEGATIVE}"),
    (MaskingNoise(share=0.0), {"share": -0.1}, SHARE),
    (MaskingNoise(share=1.0), {"share": 1.1}, SHARE),
    (SaltAndPepper(share=0.0), {"share": -0.1}, SHARE),
    (SaltAndPepper(share=1.0), {"share": 1.1}, SHARE),
    (ByMovingAverage(decay=0.0), {"decay": -0.1}, r"decay is -0.1, but must be in \[0, 1\)"),
    (ByMovingAverage(decay=0.9), {"decay": 1.0}, r"decay is 1.0, but must be in \[0, 1\)"),
    (ByMovingAverage(epsilon=0.5), {"epsilon": 0.0}, "epsilon is 0.0, but must be above 0"),
    (ByMovingAverage(restart_below=0.0), {"restart_below": -0.1}, f"restart_below {NOT_NEGATIVE}"),
    (Gaussian(variance=0.5), {"variance": 0.0}, "variance is 0.0, but must be above 0"),
    (LearnedGaussian(min_std=0.5), {"min_std": 0.0}, "min_std is 0.0, but must be above 0"),
    (DiscretizedLogistic(num_levels=2), {"num_levels": 1}, "num_levels is 1, but must be at least 2"),
    (autoencoder.Config(moments_decay=0.0), {"moments_decay": -0.1}, r"moments_decay is -0.1, but must be in \[0, 1\)"),
    (autoencoder.Config(moments_decay=0.9), {"moments_decay": 1.0}, r"moments_decay is 1.0, but must be in \[0, 1\)"),
    (wae.Config(kernel_scales=(0.5,)), {"kernel_scales": (0.5, 0.0)}, r"kernel_scales is .*, but must be one or more"),
    (wae.Config(kernel_scales=(0.5,)), {"kernel_scales": ()}, r"kernel_scales is \(\), but must be one or more"),
]


@pytest.mark.parametrize(("settings", "change", "message"), BOUNDS, ids=[type(row[0]).__name__ for row in BOUNDS])
def test_settings_are_taken_at_their_bound_and_refused_beyond_it(settings, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(settings, **change)


SMALL, CODERS = MLP((2,)), {"encoder": MLP((2,)), "decoder": MLP((2,))}
CONDITIONAL = {"encoder": ConcatCondition(SMALL), "decoder": ConcatCondition(SMALL), "prior_network": SMALL}
LOGGED = {
    aae: (
        CODERS | {"discriminator": SMALL},
        {"reconstruction_error", "discriminator_loss", "prior_probability", "code_probability", "encoder_loss"},
    ),
    autoencoder: (CODERS, {"reconstruction_error"}),
    cvae: (CONDITIONAL, {"loss", "reconstruction", "kl", "elbo"}),
    factor_vae: (
        CODERS | {"discriminator": SMALL},
        {"loss", "reconstruction", "kl", "elbo", "total_correlation", "discriminator_loss", "discriminator_accuracy"},
    ),
    m2: (
        {"encoder": ConcatCondition(SMALL), "decoder": ConcatCondition(SMALL), "classifier": SMALL},
        {"loss", "labelled_bound", "unlabelled_bound", "cross_entropy", "accuracy"},
    ),
    vae: (CODERS, {"loss", "reconstruction", "kl", "elbo"}),
    joint_vae: (
        CODERS,
        {"loss", "reconstruction", "kl", "elbo", "kl/continuous", "kl/discrete", "temperature"},
    ),
    hierarchical_vae: (CODERS, {"loss", "reconstruction", "kl", "elbo", "kl/1", "kl/2", "kl/3"}),
    flow_vae: (CODERS, {"loss", "reconstruction", "kl", "elbo"}),
    vamp_vae: (CODERS, {"loss", "reconstruction", "kl", "elbo"}),
    vq_vae_2: (
        {"image_shape": (8, 8, 1), "halvings": 1, "features": 4, "top_prior": PixelCNN(2, 1), "codebook": ByGradient()}
        | {"bottom_prior": GivenTop(PixelCNN(2, 1))},
        {"autoencoder_loss", "mean_squared_error"}
        | {
            f"{what}/{grid}"
            for what in ("commitment", "codebook_loss", "prior_nll", "bits_per_code", "perplexity")
            for grid in Both._fields
        },
    ),
    vq_vae: (
        CODERS | {"prior": PixelCNN(2, 1), "codebook": ByGradient()},
        {"autoencoder_loss", "mean_squared_error", "commitment", "codebook_loss"}
        | {"prior_nll", "bits_per_code", "perplexity"},
    ),
    wae: (CODERS, {"autoencoder_loss", "reconstruction_error", "mmd"}),
    vqgan: (
        {"image_shape": (8, 8, 1), "halvings": 1, "code_dim": 2, "discriminator": PatchDiscriminator(2, layers=1)}
        | {"encoder": LatentEncoder(2, (1, 1), 1), "decoder": LatentDecoder(2, (1, 1), 1)}
        | {"prior": CodeTransformer(2, 1, 1), "adversarial": Adversarial()},
        {"autoencoder_loss", "reconstruction_loss", "commitment", "generator_loss", "adaptive_weight"}
        | {"discriminator_loss", "real_score", "fake_score", "codebook_loss", "prior_nll", "bits_per_code"}
        | {"perplexity"},
    ),
    wae_gan: (
        CODERS | {"discriminator": SMALL},
        {"autoencoder_loss", "reconstruction_error", "penalty"}
        | {"discriminator_loss", "prior_probability", "code_probability"},
    ),
}


@pytest.mark.exhaustive
@every_model
def test_an_update_logs_what_the_models_page_names(model):
    settings, wanted = LOGGED[model]
    config, key = model.Config(**settings), jax.random.key(0)
    state = jax.eval_shape(functools.partial(model.init, config), key)
    batch = random_batches(config, 1, 2)[0]
    assert set(jax.eval_shape(functools.partial(model.update, config), state, batch, key)[1]) == wanted
