import dataclasses
import functools
import math
import re

import numpy as np
import pytest

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.runs import experiment
from experiments.training import checks
from jaxgen.optimizers import Adam, LinearDecay, Optimizer


def test_every_experiment_has_a_summary_and_belongs_to_a_model():
    assert experiment.names()
    for name in experiment.names():
        assert experiment.summary(name).endswith("."), name
        chosen = experiment.load(name)
        assert experiment.model_of(chosen.model).__doc__
        words = re.findall("[a-z0-9]+", chosen.data)  # cifar100:bicycle gives wgan_bicycle, lsun/bedroom lsgan112_lsun
        words += ["faces"] if {"celeba", "utkface"} & set(words) else []
        assert any(f"_{word}" in name for word in words), "experiments are named MODEL_DATA"


@functools.cache
def smallest():
    """The experiments on the smallest examples, points or 8x8 digits, of each model that has some."""
    found: dict[tuple[str, int], tuple[int, str]] = {}
    for name in experiment.names():
        model = experiment.load(name).model
        kind, size = (type(model).__module__, len(model.image_shape)), math.prod(model.image_shape)
        if size <= 64:
            found[kind] = min(found.get(kind, (size, name)), (size, name))
    return {name for _, name in found.values()}


@pytest.mark.parametrize(
    "name",
    [name if name in smallest() else pytest.param(name, marks=pytest.mark.exhaustive) for name in experiment.names()],
)
def test_every_experiment_traces_an_update(name):
    """Shapes alone, nothing is compiled: what a config names exists, and its networks fit its images."""
    chosen = experiment.load(name)
    classes = tuple(str(label) for label in range(10))
    kind = np.float32 if chosen.model.value_range is None else np.uint8
    images = np.zeros((1, *chosen.model.image_shape), kind)
    inputs = np.zeros((1, *getattr(chosen.model, "input_shape", chosen.model.image_shape)), kind)
    texts = np.zeros((1, 1, getattr(chosen.model, "caption_length", 1)), np.uint8)
    others = {"targets": images, "others": images, "captions": texts, "num_captions": np.ones(1, np.uint32)}
    others["attributes"] = np.zeros((1, getattr(chosen.model, "num_attributes", 1)), np.uint8)
    made = ImageSet("made", inputs, np.zeros(1, np.int32), classes, **others)
    over_devices = dataclasses.replace(chosen, batch_size=4 * math.ceil(chosen.batch_size / 4))  # the tests have 4
    checks.check_model(over_devices, made)


def test_every_part_of_an_optimizer_is_an_option():
    default = experiment.load("wgan_gp_ring8")
    parts = ("learning-rate", "0.5", "warm-up", "3", "clip-norm", "2", "weight-decay", "0.1", "accumulate", "4")
    inner = ("rule.b1", "0.25", "rule.b2", "0.5", "rule.eps", "1e-3", "rule.eps-root", "1e-4", "schedule.end", "9")
    pairs = zip((*parts, *inner)[::2], (*parts, *inner)[1::2], strict=True)
    argv = [word for name, value in pairs for word in (f"--model.critic-optimizer.{name}", value)]
    chosen = cli.parse(experiment.Experiment[type(default.model)], default, argv, "train", "")
    wanted = Optimizer(0.5, Adam(0.25, 0.5, 1e-3, 1e-4), LinearDecay(9), 3, 2.0, 0.1, 4)
    assert chosen.model == dataclasses.replace(default.model, critic_optimizer=wanted)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("wgan_gp_digit", "did you mean wgan_gp_digits"), ("zzz", "there are: .*wgan_gp_digits"), ("../x", "there are")],
)
def test_an_unknown_name_gets_the_nearest_one(typed, hint):
    with pytest.raises(UserError, match=hint):
        experiment.load(typed)


@pytest.mark.parametrize(
    "name",
    ["steps", "batch_size", "steps_per_call", "log_every", "sample_every", "checkpoint_every", "keep", "num_samples"],
)
def test_sizes_below_one_are_refused(name):
    option = "--" + name.replace("_", "-")
    for value in (0, -3):
        with pytest.raises(ValueError, match=f"{option} is {value}, but must be at least 1"):
            dataclasses.replace(experiment.load("wgan_gp_digits"), **{name: value})
