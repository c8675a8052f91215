"""Settings of the family: the numbers of the papers by default."""

from jaxgen.diffusion import (
    consistency,
    ddpm,
    edm,
    flow_matching,
    guided_ddpm,
    improved_ddpm,
    mean_flow,
    score_sde,
    vdm,
)
from jaxgen.diffusion.augmentation import Augmentation
from jaxgen.diffusion.consistency import Alone
from jaxgen.diffusion.couplings import Independent
from jaxgen.diffusion.curricula import Doubling, LogNormalIntervals
from jaxgen.diffusion.guidance import ByClassifier, NoGuidance
from jaxgen.diffusion.improved_ddpm import Hybrid
from jaxgen.diffusion.mean_flow import Jumps
from jaxgen.diffusion.predictions import Noise, Preconditioned, Velocity
from jaxgen.diffusion.samplers import DDIM, Ancestral, Euler, Heun, PredictorCorrector, Renoise
from jaxgen.diffusion.schedules import VP, CosineBetas, LinearBetas, Sigmas, Straight
from jaxgen.diffusion.times import LogitNormal, LogNormal, UniformTimes
from jaxgen.diffusion.vdm import Gammas, GammaSteps
from jaxgen.diffusion.weights import EDMWeight, PseudoHuber, Squared, Unweighted
from jaxgen.moving_averages import Constant, HalfLife
from jaxgen.optimizers import Adam, Optimizer, RAdam
from tests.papers import each_of, settings_of

CIFAR = {"image_shape": (32, 32, 3), "value_range": (-1.0, 1.0), "num_classes": 0, "class_dropout": 0.1}
HO = {
    "schedule": LinearBetas(steps=1000, first=1e-4, last=0.02),
    "prediction": Noise(),
    "times": UniformTimes(),
    "optimizer": Optimizer(2e-4, Adam(), warm_up=5000, clip_norm=1.0),
    "average": Constant(0.9999),
}
PAPERS = {
    # Ho et al., appendix B.
    ddpm: CIFAR
    | HO
    | {"weight": Unweighted(), "distance": Squared(), "sampler": Ancestral(), "guidance": NoGuidance()},
    # The same, with Dhariwal & Nichol's optimiser of the classifier, table 12.
    guided_ddpm: CIFAR
    | HO
    | {
        "num_classes": 10,
        "sampler": DDIM(50),
        "guidance": ByClassifier(1.0),
        "classifier_optimizer": Optimizer(3e-4, Adam(), weight_decay=0.05),
    },
    # Nichol & Dhariwal, appendix A.
    improved_ddpm: CIFAR
    | {
        "schedule": CosineBetas(4000),
        "prediction": Noise(),
        "objective": Hybrid(weight=0.001),
        "sampler": Ancestral(4000, "learned"),
        "guidance": NoGuidance(),
        "optimizer": Optimizer(1e-4, Adam()),
        "average": Constant(0.9999),
    },
    # Karras et al., table 1 and appendix F.5, in updates of 512 images.
    edm: CIFAR
    | {
        "schedule": Sigmas(),
        "prediction": Preconditioned(0.5),
        "times": LogNormal(-1.2, 1.2),
        "weight": EDMWeight(0.5),
        "sampler": Heun(18),
        "guidance": NoGuidance(),
        "uncertainty": 0,
        "augmentation": Augmentation(),
        "optimizer": Optimizer(1e-3, Adam(), warm_up=19_531),
        "average": HalfLife(977.0, 0.05),
    },
    # Tong et al., for CIFAR-10.
    flow_matching: CIFAR
    | HO
    | {
        "schedule": Straight(),
        "prediction": Velocity(),
        "coupling": Independent(),
        "weight": Unweighted(),
        "distance": Squared(),
        "sampler": Euler(100),
        "guidance": NoGuidance(),
    },
    # Song & Dhariwal, table 1 and appendix A.
    consistency: CIFAR
    | {
        "schedule": Sigmas(),
        "data_deviation": 0.5,
        "method": Alone(),
        "curriculum": Doubling(),
        "intervals": LogNormalIntervals(),
        "inverse_width": True,
        "inverse_scale": False,
        "distance": PseudoHuber(),
        "sampler": Renoise(1),
        "guidance": NoGuidance(),
        "optimizer": Optimizer(1e-4, RAdam()),
        "average": Constant(0.99993),
    },
    # The authors' configs/vp/cifar10_ddpmpp_continuous.py.
    score_sde: CIFAR
    | {
        "schedule": VP(0.1, 20.0, 1e-5),
        "prediction": Noise(),
        "likelihood_weighting": False,
        "sampler": PredictorCorrector(1000, 0),
        "guidance": NoGuidance(),
        "optimizer": Optimizer(2e-4, Adam(), warm_up=5000, clip_norm=1.0),
        "average": Constant(0.9999),
    },
    # The authors' configs/cifar10.py.
    vdm: CIFAR
    | {
        "schedule": Gammas(-13.3, 5.0),
        "num_steps": 0,
        "num_levels": 256,
        "binarize": "never",
        "sampler": GammaSteps(1000),
        "optimizer": Optimizer(2e-4, Adam(b2=0.99), weight_decay=0.01),
        "average": Constant(0.9999),
    },
    # Geng et al., table 4.
    mean_flow: CIFAR
    | {
        "schedule": Straight(told=1.0),
        "times": LogitNormal(-0.4, 1.0),
        "instant": 0.75,
        "power": 1.0,
        "offset": 0.01,
        "scale": 1.0,
        "mixing": 0.0,
        "drawing": Jumps(),
        "optimizer": Optimizer(1e-4, Adam(b2=0.95)),
        "average": Constant(0.9999),
    },
}


@each_of(PAPERS)
def test_settings_by_default_are_the_papers(model):
    assert settings_of(model) == PAPERS[model]
