"""Numbers that must agree: what is said where they do not, of every kind there is."""

import dataclasses
import importlib
import pathlib

import numpy as np
import pytest

import jaxgen
from experiments import data
from experiments.runs import experiment as experiments_by_name
from experiments.runs import settings
from experiments.runs.experiment import Experiment
from experiments.training import agreement, runner
from jaxgen.autoencoders import joint_vae
from jaxgen.autoencoders.bounds import ELBO, Capacity
from jaxgen.autoencoders.joint_vae import JointCapacity
from jaxgen.gans import stylegan2
from jaxgen.gans.fading_blur import FadingBlur
from jaxgen.moving_averages import HalfLife, NoAverage, RampedHalfLife
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.optimizers import SGD, Cosine, InverseRoot, InverseTime, LinearDecay, Optimizer, RampedAdam
from jaxgen.ramps import CosineRamp, Jump
from jaxgen.translation import discogan
from tests.experiments import small_runs

GAN, DIGITS = small_runs.GAN, data.load("digits")
NO_END = {"average": NoAverage()}
"""Of a default that forgets until a step of its own."""


def lines(model=GAN, steps=100, **settings):
    return agreement.lines(Experiment(model=model, steps=steps, batch_size=8, **settings), DIGITS)


def with_generator(**parts):
    return dataclasses.replace(GAN, generator_optimizer=Optimizer(**({"learning_rate": 0.1, "rule": SGD()} | parts)))


def test_a_longer_run_of_an_experiment_whose_decay_has_ended_is_warned_with_the_cure():
    """Of the critic the schedule counts five steps in an update."""
    longer = dataclasses.replace(experiments_by_name.load("wgan_gp_ring8"), steps=20_000)
    (line,) = agreement.lines(longer, data.load("ring8"))
    assert line == (
        "warning: from step 10,000 on the learning rate of model.generator_optimizer and model.critic_optimizer is 0, "
        "but the run has 20,000 steps; give --model.generator-optimizer.schedule.end 20000 "
        "--model.critic-optimizer.schedule.end 100000, with --change where the run goes on, or --steps 10000"
    )
    whole = dataclasses.replace(longer, steps=10_000)
    assert agreement.lines(whole, data.load("ring8")) == []
    (line,) = agreement.at_the_end(whole, data.load("ring8"))
    assert "is 0 from then on: give --change and a larger --model.generator-optimizer.schedule.end" in line


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (with_generator(schedule=LinearDecay(99)), "warning: from step 99 on the learning rate of model.generator_opt"),
        (with_generator(schedule=Cosine(50)), "warning: from step 50 on"),
        (with_generator(schedule=LinearDecay(40), accumulate=2), "warning: from step 80 on"),
        (with_generator(schedule=LinearDecay(100)), None),
        (with_generator(schedule=Cosine(50, final=0.1)), None),
        (with_generator(schedule=InverseTime(1.0)), None),
        (
            with_generator(schedule=InverseRoot(101)),
            "note: the run ends at step 100, but the learning rate is constant",
        ),
        (with_generator(schedule=InverseRoot(100)), None),
        (with_generator(schedule=LinearDecay(60), accumulate=2), "note: the run ends at step 100, but the learning"),
        (with_generator(warm_up=101), "note: the run ends at step 100, but the learning rate rises until step 101"),
        (with_generator(schedule=LinearDecay(100), warm_up=100), "warning: the learning rate of model.generator_optim"),
        (
            dataclasses.replace(GAN, critic=InstanceNoise(GAN.critic, std=0.1, end=200)),
            "the noise falls until step",
        ),
        (dataclasses.replace(GAN, critic=InstanceNoise(GAN.critic, std=0.1, end=100)), None),
        (dataclasses.replace(GAN, critic=InstanceNoise(GAN.critic, std=0.1)), None),
        (dataclasses.replace(GAN, average=HalfLife(200.0, ramp_up=None)), "the average forgets until step 200"),
        (dataclasses.replace(GAN, average=HalfLife(200.0)), None),
        (dataclasses.replace(GAN, average=RampedHalfLife(CosineRamp(0.0, 10.0, 101))), "a ramp goes on until step 101"),
        (dataclasses.replace(GAN, average=RampedHalfLife(CosineRamp(0.0, 10.0, 100))), None),
        (with_generator(rule=RampedAdam(b2=CosineRamp(0.9, 0.99, 101))), "a ramp goes on until step 101"),
        (with_generator(rule=RampedAdam(b2=CosineRamp(0.9, 0.99, 60)), accumulate=2), "a ramp goes on until step 120"),
        (with_generator(rule=RampedAdam(b2=CosineRamp(0.9, 0.99, 100))), None),
        (dataclasses.replace(small_runs.WIDE, objective=ELBO(warm_up=101)), "the weight of the divergence rises until"),
        (dataclasses.replace(small_runs.WIDE, objective=Capacity(steps=101)), "the capacity rises until step 101"),
        (joint_vae.Config(small_runs.SHAPE, objective=JointCapacity(steps=101)), "both capacities rise until step 101"),
        (stylegan2.Config(blur=FadingBlur(1.0, end=101), **NO_END), "the blur fades until step 101"),
        (stylegan2.Config(blur=FadingBlur(0.0, end=101), **NO_END), None),
        (discogan.Config(image_shape=(64, 64, 1), rate=Jump(0.0, 0.5, 101)), "has its first value until step 101"),
        (discogan.Config(image_shape=(64, 64, 1), rate=Jump(0.0, 0.5, 100)), None),
        (GAN, None),
    ],
)
def test_every_number_that_counts_steps_is_compared_with_those_of_the_run(model, said):
    found = lines(model)
    assert (found == []) if said is None else (len(found) == 1 and said in found[0]), found


def test_an_evaluation_that_never_comes_is_warned_of():
    assert lines(eval_every=101)[0].startswith("warning: --eval-every 101 is more than the 100 steps")
    assert lines(eval_every=100) == []


@pytest.mark.exhaustive
def test_a_run_tells_of_it_at_its_start_and_at_its_end(tmp_path, capsys):
    model = with_generator(schedule=LinearDecay(2))
    common = {"data": "digits", "batch_size": 8, "num_samples": 4, "pictures": ()}
    for steps in (2, 2, 3):
        chosen = Experiment(model=model, steps=steps, **common)
        assert runner.train("wgan_gp_digits", chosen, tmp_path / "run") == 0
    printed = capsys.readouterr().out
    assert "has already reached step 2; give a larger --steps to go on" in printed
    assert "is 0 from then on: give --change and a larger --model.generator-optimizer.schedule.end too" in printed
    assert "warning: from step 2 on the learning rate of model.generator_optimizer is 0" in printed


COUNTED = {"end", "begin", "warm_up", "half_life", "steps", "until", "start"}
"""Names of settings that count steps of the run."""

KNOWN = {
    "jaxgen.optimizers:LinearDecay": {"end", "begin"},  # begin is below end
    "jaxgen.optimizers:Cosine": {"end"},
    "jaxgen.optimizers:Optimizer": {"warm_up"},
    "jaxgen.nets.instance_noise:InstanceNoise": {"end"},
    "jaxgen.gans.regularization:LeCam": {"begin"},
    "jaxgen.gans.fading_blur:FadingBlur": {"end"},
    "jaxgen.autoencoders.adaptive_weight:Adversarial": {"begin"},
    "jaxgen.autoencoders.bounds:ELBO": {"warm_up"},
    "jaxgen.autoencoders.bounds:Capacity": {"steps"},
    "jaxgen.autoencoders.joint_vae:JointCapacity": {"steps"},
    "jaxgen.moving_averages:HalfLife": {"half_life"},
    "jaxgen.moving_averages:RampedHalfLife": {"half_life"},  # a ramp, which has an end
    "jaxgen.ramps:CosineRamp": {"end"},
    "jaxgen.ramps:Jump": {"end"},
    "jaxgen.nets.spectral:Spectral": {"steps"},  # of the power method: none of the run
    "jaxgen.attacks:Attack": {"steps"},  # of an attack: none of the run
    "jaxgen.diffusion.mean_flow:Jumps": {"steps"},  # of drawing, as those of all samplers
    "jaxgen.latents.style_projection:Projector": {"steps"},  # of a search in a trained model: none of the run
    **{f"jaxgen.minimization:{name}": {"steps"} for name in ("Descent", "LBFGS")},  # of a search as well
    "jaxgen.diffusion.couplings:Reflow": {"steps"},  # of a sampler, as those of all samplers; none of the run
    **{f"jaxgen.diffusion.samplers.ancestral:{name}": {"steps"} for name in ("Ancestral", "DDIM", "Renoise")},
    "jaxgen.diffusion.samplers.predictor_corrector:PredictorCorrector": {"steps"},
    "jaxgen.diffusion.vdm:GammaSteps": {"steps"},
    "jaxgen.diffusion.vdm:Gammas": {"end", "start"},  # times as well
    "jaxgen.latents.edit_transfer:Transfer": {"steps"},  # of a search: none of the run
    "jaxgen.diffusion.densities:Integral": {"steps"},  # of an integral: none of the run
    "jaxgen.diffusion.samplers.adaptive:Adaptive": {"steps"},
    "jaxgen.diffusion.samplers.dpm_solver:DPMSolver": {"steps"},
    **{f"jaxgen.diffusion.curricula:{name}": {"end"} for name in ("SquareRoot", "Doubling")},
    **{f"jaxgen.diffusion.samplers.ode:{name}": {"steps"} for name in ("Euler", "Heun")},
    **{f"jaxgen.diffusion.schedules.betas:{name}Betas": {"steps"} for name in ("Linear", "ScaledLinear", "Cosine")},
    **{
        f"jaxgen.diffusion.schedules.continuous:{name}": {"end"} for name in ("VP", "SubVP", "Cosine", "Straight")
    },  # a time
}
"""Types that have some, each in the table above."""


def test_no_setting_that_counts_steps_has_been_forgotten():
    root = pathlib.Path(jaxgen.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        name = ".".join(("jaxgen", *path.relative_to(root).with_suffix("").parts))
        if path.name == "__init__.py" or name.startswith("jaxgen.testing"):
            continue
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == name:
                counted = {field.name for field in settings.fields(kind)} & COUNTED
                if counted:
                    found[f"{name}:{kind.__qualname__}"] = counted
    assert found == KNOWN


class Zeros:
    """A set of one example of zeros, in the shape of a model."""

    def __init__(self, config):
        self.shape = config.image_shape
        self.shapes = {"inputs": getattr(config, "input_shape", self.shape)}
        self.length = getattr(config, "caption_length", 0)
        self.attributes = getattr(config, "num_attributes", 0)

    def batch(self, indices, batch_type):
        if batch_type is None:
            return self._pixels("images")
        fields = zip(batch_type._fields, batch_type.COLUMNS, strict=True)
        return batch_type(*(self._pixels(name) if column.pixels else self._other(column) for name, column in fields))

    def _pixels(self, name):
        shape = self.shapes.get(name, self.shape)
        return np.zeros((1, *shape), np.uint8 if len(shape) == 3 else np.float32)

    def _other(self, column):
        widths = {"captions": self.length, "attributes": self.attributes}
        return np.zeros((1, widths[column.name]), np.uint8) if column.name in widths else np.zeros(1, np.int32)


ON_PURPOSE = {"unrolled_ring8": "the learning rate falls until step 28,000"}
"""As the comment in its settings says."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", experiments_by_name.names())
def test_every_experiment_agrees_with_its_own_steps(name):
    chosen = experiments_by_name.load(name)
    found = agreement.lines(chosen, Zeros(chosen.model))
    assert (ON_PURPOSE[name] in found[0]) if name in ON_PURPOSE else found == []
