"""Numbers, choices and flags of values by default: those of the papers, or of the codes that the docstrings name.

Tests of the files themselves set what they look at, so that nothing else would show a wrong default. Networks and the
settings of models have tables of their own.
"""

import dataclasses
import importlib
import math
import pkgutil

import flax.linen as nn
import pytest

import jaxgen

DEFAULTS = {
    "attacks.Attack": {
        "epsilon": 0.3,
        "norm": "linf",
        "steps": 40,
        "step_size": 0.01,
        "targeted": False,
        "value_range": (0.0, 1.0),
    },
    "autoencoders.adaptive_weight.Adversarial": {"weight": 0.5, "begin": 50001},
    # beta 6 for dSprites; lambda_od 10 and ten times that for type I.
    "autoencoders.aggregate.MeanDiscrepancy": {"weight": 1.0},
    "autoencoders.aggregate.TotalCorrelation": {"weight": 5.0, "num_examples": 60000, "stratified": False},
    "autoencoders.aggregate.Covariance": {"off_diagonal": 10.0, "diagonal": 100.0, "of_latents": False},
    # Burgess et al. raise the capacity to 25 nats within 100,000 updates; Burda et al. draw 50 latents.
    "autoencoders.bounds.ELBO": {"beta": 1.0, "free_bits": 0.0, "warm_up": 0, "num_samples": 1},
    "autoencoders.bounds.Capacity": {"gamma": 1000.0, "capacity": 25.0, "steps": 100000, "num_samples": 1},
    "autoencoders.bounds.ImportanceWeighted": {"num_samples": 50},
    "autoencoders.categorical.ConstantTemperature": {"value": 0.67},
    "autoencoders.categorical.AnnealedTemperature": {"rate": 3e-05, "every": 1000, "least": 0.5},
    "autoencoders.codebook.ByMovingAverage": {"decay": 0.99, "epsilon": 1e-05, "restart_below": 0.0},
    "autoencoders.corruption.GaussianNoise": {"std": 0.5, "mean": 0.0},
    "autoencoders.corruption.MaskingNoise": {"share": 0.25},
    "autoencoders.corruption.SaltAndPepper": {"share": 0.25},
    "autoencoders.joint_vae.JointCapacity": {
        "gamma": 30.0,
        "continuous": 5.0,
        "discrete": 5.0,
        "steps": 25000,
        "num_samples": 1,
    },
    "autoencoders.latent_maps.Compressed": {"halvings": 3, "latent_channels": 4},
    "autoencoders.likelihoods.Bernoulli": {"binarize": "each_step"},
    "autoencoders.likelihoods.Gaussian": {"variance": 1.0},
    "autoencoders.likelihoods.LearnedGaussian": {"min_std": 0.004},
    "autoencoders.likelihoods.DiscretizedLogistic": {"num_levels": 256, "min_log_scale": -7.0},
    "batches.Column": {"rows": "same"},
    "diffusion.augmentation.Augmentation": {"rate": 0.0},
    "diffusion.couplings.Reflow": {"steps": 50},
    "diffusion.curricula.Fixed": {"levels": 18},
    "diffusion.curricula.SquareRoot": {"least": 2, "most": 150, "end": 800000},
    "diffusion.curricula.Doubling": {"least": 10, "most": 1280, "end": 400000},
    "diffusion.curricula.LogNormalIntervals": {"mean": -1.1, "deviation": 2.0},
    "diffusion.denoising.DenoiserDefaults": {
        "image_shape": (32, 32, 3),
        "value_range": (-1.0, 1.0),
        "num_classes": 0,
        "class_dropout": 0.1,
    },
    "diffusion.densities.Integral": {"steps": 100, "probes": 1, "tolerance": 0.0},
    "diffusion.editing.RePaint": {"jump": 10, "resamples": 10},
    "diffusion.editing.SDEdit": {"strength": 0.5, "repeats": 3},
    "diffusion.grids.Leading": {"offset": 0},
    "diffusion.grids.Quadratic": {"share": 0.8},
    "diffusion.grids.Karras": {"rho": 7.0, "least_log_snr": -10.2},
    "diffusion.grids.Usual": {"least_log_snr": -10.2},
    "diffusion.grids.Shifted": {"shift": 3.0},
    "diffusion.grids.Listed": {"listed": ()},
    "diffusion.guidance.ClassifierFree": {"scale": 2.0, "least": 0.0},
    "diffusion.guidance.ByClassifier": {"scale": 1.0, "conditional": True},
    "diffusion.improved_ddpm.Hybrid": {"weight": 0.001},
    "diffusion.limits.Clip": {"keep_noise": False},
    "diffusion.limits.DynamicThreshold": {"quantile": 0.995, "keep_noise": False},
    "diffusion.mean_flow.Jumps": {"steps": 1},
    "diffusion.predictions.Preconditioned": {"data_deviation": 0.5},
    "diffusion.predictions.Bounded": {"data_deviation": 0.5, "least": 0.002},
    "diffusion.samplers.adaptive.Adaptive": {"steps": 1, "tolerance": 1e-05, "to_data": True},
    "diffusion.samplers.ancestral.DDIM": {"steps": 50, "eta": 0.0, "to_data": True},
    "diffusion.samplers.ancestral.Ancestral": {"steps": 1000, "variance": "large", "to_data": True},
    "diffusion.samplers.ancestral.Renoise": {"steps": 1},
    "diffusion.samplers.dpm_solver.DPMSolver": {
        "steps": 20,
        "order": 2,
        "variant": "midpoint",
        "lower_below": 15,
        "to_data": True,
    },
    "diffusion.samplers.ode.Churn": {"amount": 0.0, "least": 0.0, "deviation": 1.0},
    "diffusion.samplers.ode.Euler": {"steps": 50, "to_data": True},
    "diffusion.samplers.ode.Heun": {"steps": 18, "to_data": True},
    "diffusion.samplers.predictor_corrector.PredictorCorrector": {
        "steps": 1000,
        "corrections": 1,
        "signal_to_noise": 0.16,
        "to_data": True,
    },
    "diffusion.schedules.betas.LinearBetas": {"steps": 1000, "first": 0.0001, "last": 0.02},
    "diffusion.schedules.betas.ScaledLinearBetas": {"steps": 1000, "first": 0.00085, "last": 0.012},
    "diffusion.schedules.betas.CosineBetas": {"steps": 1000, "offset": 0.008, "least": 0.0, "most": 0.999},
    "diffusion.schedules.continuous.VP": {"first": 0.1, "last": 20.0, "end": 0.001},
    "diffusion.schedules.continuous.SubVP": {"first": 0.1, "last": 20.0, "end": 0.001},
    "diffusion.schedules.continuous.Cosine": {"end": 0.001},
    "diffusion.schedules.continuous.VE": {"least": 0.01, "most": 50.0},
    "diffusion.schedules.continuous.Sigmas": {"least": 0.002, "most": 80.0},
    "diffusion.schedules.continuous.Straight": {"end": 0.001, "told": 1000.0},
    "diffusion.times.LogNormal": {"mean": -1.2, "deviation": 1.2},
    "diffusion.times.LogitNormal": {"mean": 0.0, "deviation": 1.0},
    "diffusion.vdm.Gammas": {"end": -13.3, "start": 5.0},
    "diffusion.vdm.GammaSteps": {"steps": 1000},
    "diffusion.weights.MinSNR": {"gamma": 5.0},
    "diffusion.weights.EDMWeight": {"data_deviation": 0.5},
    "diffusion.weights.PseudoHuber": {"share": 0.00054},
    "gans.ada.Adaptive": {"target": 0.6, "every": 4, "speed_images": 500000.0, "initial": 0.0},
    "gans.augmentation_draws.Blit": {"mirror": 1.0, "quarter_turn": 1.0, "shift": 1.0, "farthest": 0.125},
    "gans.augmentation_draws.Geometry": {
        "scale": 1.0,
        "rotation": 1.0,
        "stretch": 1.0,
        "shift": 1.0,
        "scale_std": 0.2,
        "angle": math.pi,
        "stretch_std": 0.2,
        "shift_std": 0.125,
    },
    "gans.augmentation_draws.Color": {
        "brightness": 1.0,
        "contrast": 1.0,
        "luma_flip": 1.0,
        "hue": 1.0,
        "saturation": 1.0,
        "brightness_std": 0.2,
        "contrast_std": 0.5,
        "angle": math.pi,
        "saturation_std": 1.0,
    },
    "gans.augmentation_draws.Filter": {"bands": 0.0, "std": 1.0},
    "gans.augmentation_draws.Noise": {"noise": 0.0, "std": 0.1},
    "gans.augmentation_draws.Cutout": {"cutout": 0.0, "size": 0.5},
    "gans.codes.CodeSettings": {"categorical": (10,), "continuous": 2, "fixed_std": True},
    "gans.discrimination.Discrimination": {"joint": False, "flip": 0.0},
    "gans.drawing.Drawing": {"standing": 0},
    "gans.drawn_penalties.Perturbed": {"weight": 0.0, "scale": 0.5},
    "gans.drawn_penalties.Divergence": {"weight": 0.0, "power": 6.0},
    "gans.f_gan.FDivergence": {"divergence": "jensen_shannon", "saturating": False},
    "gans.fading_blur.FadingBlur": {"sigma": 0.0, "end": 6250},
    "gans.growing.Resolution": {"halvings": 0, "fading": False},
    "gans.growing.Growth": {"first": 4, "stabilise": 800000, "fade": 800000, "batch_sizes": (16,), "rates": (1.0,)},
    "gans.objectives.Minimax": {"smoothing": 0.0},
    "gans.objectives.NonSaturating": {"smoothing": 0.0},
    "gans.objectives.LeastSquares": {"fake_code": 0.0, "real_code": 1.0, "generator_code": 1.0},
    "gans.objectives.Energy": {"margin": 10.0},
    "gans.objectives.Relativistic": {"loss": "logistic", "average": True},
    "gans.objectives.BoundarySeeking": {"smoothing": 0.0},
    "gans.regularization.Consistency": {"real": 0.0, "fake": 0.0, "shift": 0.125, "flip": True},
    "gans.regularization.LeCam": {"weight": 0.0, "decay": 0.99, "begin": 0, "one_sided": True},
    "gans.regularization.Slope": {"weight": 0.0, "every": 1},
    "gans.regularization.LatentConsistency": {"discriminator": 0.0, "generator": 0.0, "std": 0.03},
    "gans.stylegan2.PathLength": {"weight": 2.0, "every": 4, "decay": 0.01, "shrink": 2},
    "gans.styles.Drawing": {"psi": 1.0, "noise": 1.0, "random_noise": False},
    "gans.top_k.TopK": {"gamma": 1.0, "least": 0.5, "every": 1000},
    "latents.edit_transfer.Transfer": {
        "frames": 8,
        "smooth_flow": 0.01,
        "smooth_color": 1.0,
        "steps": 5,
        "solver_steps": 100,
    },
    "latents.editing.Editing": {
        "edge_weight": 0.2,
        "closeness": 5.0,
        "prior_weight": 0.0,
        "keep": 16,
        "cell": 8,
        "value_range": (-1.0, 1.0),
    },
    "latents.inpainting.Inpainting": {"window": 7, "prior_weight": 0.003},
    "latents.style_projection.Projector": {
        "steps": 1000,
        "learning_rate": 0.1,
        "ramp_up": 0.05,
        "ramp_down": 0.25,
        "noise": 0.05,
        "noise_ramp": 0.75,
        "weight": 100000.0,
    },
    "minimization.Descent": {"steps": 500},
    "minimization.LBFGS": {"steps": 100, "memory": 10, "line_search": 20, "tolerance": 1e-06},
    "mode.Mode": {"train": False},
    "model.Defaults": {"image_shape": (28, 28, 1), "value_range": (0.0, 1.0)},
    "model.LabelledDefaults": {"image_shape": (28, 28, 1), "value_range": (0.0, 1.0), "num_classes": 10},
    "moving_averages.Constant": {"decay": 0.9999},
    "moving_averages.Exponential": {"decay": 0.999},
    "moving_averages.HalfLife": {"half_life": 1000.0, "ramp_up": 0.05},
    "moving_averages.PowerFunction": {"width": 0.05, "further": ()},
    "nets.initializers.Normal": {"std": 0.02},
    "nets.initializers.TruncatedNormal": {"std": 0.02},
    "nets.initializers.Uniform": {"limit": 0.05},
    "nets.initializers.Orthogonal": {"gain": 1.0},
    "nets.unet.edm2.EDM2Style": {
        "head_features": 64,
        "dropout": 0.0,
        "balance": 0.3,
        "limit": 256.0,
        "dtype": "float32",
    },
    "nets.unet.blocks.Style": {
        "dropout": 0.0,
        "scale_shift": False,
        "residual_scale": 1.0,
        "attention_variance": 2.0,
        "projected": False,
        "dtype": "float32",
    },
    "nets.unet.embeddings.Sinusoid": {"endpoint": True, "cosines_first": False},
    "nets.unet.embeddings.Fourier": {"scale": 1.0},
    "nets.unet.embeddings.PhasedFourier": {"bandwidth": 1.0},
    "optimizers.LinearDecay": {"begin": 0},
    "optimizers.Cosine": {"final": 0.0},
    "optimizers.StepDecay": {"factor": 0.5},
    "optimizers.Adam": {"b1": 0.9, "b2": 0.999, "eps": 1e-08, "eps_root": 0.0},
    "optimizers.RampedAdam": {"b1": 0.0, "eps": 1e-08, "eps_root": 0.0},
    "optimizers.RAdam": {"b1": 0.9, "b2": 0.999, "eps": 1e-08, "eps_root": 0.0},
    "optimizers.RMSProp": {"decay": 0.99, "eps": 1e-08},
    "optimizers.SGD": {"momentum": 0.0},
    "optimizers.Adagrad": {"initial_accumulator": 0.0, "eps": 1e-10},
    "optimizers.Optimizer": {
        "warm_up": 0,
        "weight_decay": 0.0,
        "accumulate": 1,
        "orthogonality": 0.0,
        "normalized": False,
    },
    "priors.Normal": {"dim": 100},
    "priors.Uniform": {"dim": 100, "limit": 1.0},
    "priors.Gaussian": {"deviation": 1.0},
    "text_to_image.embedding.TextDefaults": {
        "image_shape": (64, 64, 3),
        "value_range": (-1.0, 1.0),
        "caption_length": 201,
        "text_features": 1024,
    },
    "text_to_image.game.GameDefaults": {
        "image_shape": (64, 64, 3),
        "value_range": (-1.0, 1.0),
        "caption_length": 201,
        "text_features": 1024,
        "mismatch": 0.5,
    },
    "text_to_image.latents.Factor": {"factor": 0.18215},
    "text_to_image.matching.Structured": {"margin": 1.0, "hardest": False},
    "text_to_image.matching.Contrastive": {"temperature": 0.07, "largest_scale": 100.0},
    "text_to_image.stackgan.StageOne": {"image_shape": (64, 64, 3)},
    "translation.masks.CenterSquare": {"side": 64},
    "translation.masks.RandomSquare": {"side": 64},
    "translation.masks.RandomBlocks": {"num": 4, "shortest": 8, "longest": 24},
    "translation.masks.Strokes": {
        "least": 0.1,
        "most": 0.5,
        "width": 6.0,
        "length": 10.0,
        "segments": 6,
        "strokes": 8,
        "turn": 0.7,
    },
}
PLAIN = bool | int | float | tuple | str


def _of(kind):
    return {field.name: field.default for field in dataclasses.fields(kind) if isinstance(field.default, PLAIN)}


def _found():
    """Every value of the package that has such defaults, by its name."""
    for module in pkgutil.walk_packages(jaxgen.__path__, "jaxgen."):
        if module.name.startswith("jaxgen.testing"):
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            ours = isinstance(kind, type) and kind.__module__ == module.name and dataclasses.is_dataclass(kind)
            if ours and not issubclass(kind, nn.Module) and kind.__name__ != "Config" and _of(kind):
                yield f"{module.name}.{kind.__qualname__}".removeprefix("jaxgen."), kind


@pytest.fixture(scope="module")
def found():
    return dict(_found())


@pytest.mark.parametrize("name", DEFAULTS)
def test_numbers_of_values_by_default(found, name):
    assert _of(found[name]) == DEFAULTS[name]


def test_every_value_with_numbers_by_default_stands_in_the_table(found):
    assert found.keys() == DEFAULTS.keys()
