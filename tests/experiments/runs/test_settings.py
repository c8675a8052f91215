import dataclasses
import importlib
import json
import math
import pathlib

import pytest

from experiments.runs import experiment, former, settings
from jaxgen.gans import wgan_gp
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, LinearDecay, Optimizer, RMSProp

ADAM = {"type": "jaxgen.optimizers:Optimizer", "learning_rate": 1e-3, "rule": {"type": "jaxgen.optimizers:Adam"}}


@pytest.mark.parametrize("name", experiment.names())
def test_every_experiment_survives_json_and_back(name):
    chosen = experiment.load(name)
    text = json.dumps(settings.to_json(chosen))
    assert settings.from_json(json.loads(text)) == chosen


def test_every_kind_of_setting_survives():
    config = wgan_gp.Config(
        value_range=None,
        generator=MLP((3, 4), norm="batch", dtype="bfloat16"),
        critic_optimizer=Optimizer(0.1, SGD(), LinearDecay(7, 2), warm_up=3, clip_norm=1.0, weight_decay=0.01),
        generator_optimizer=Optimizer(1e-4, Adam()),
        one_sided=True,
    )
    back = settings.from_json(json.loads(json.dumps(settings.to_json(config))))
    assert back == config
    assert hash(back) == hash(config)


def test_paths_become_strings():
    assert settings.to_json(pathlib.Path("a/b")) == "a/b"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "os:system", "command": "ls"}, "do not belong"),
        ({"type": "subprocess:Popen"}, "do not belong"),
        ({"type": "jaxgen.../os:system"}, "do not belong"),
        ({"type": "jaxgen.gans.wgan_gp:Config.__init__"}, "do not belong"),
        ({"type": "jaxgenx:Config"}, "do not belong"),
        ({"type": 3}, "do not belong"),
        ({"a": 1}, "do not belong"),
        ({"type": "jaxgen.gans.wgan_gp:Nothing"}, "no settings like"),
        ({"type": "jaxgen.gans.nowhere:Config"}, "no settings like"),
        ({"type": "jaxgen.gans.wgan_gp:Config", "novelty": 1}, "no setting 'novelty' in jaxgen.gans.wgan_gp:Config"),
        ({"type": "jaxgen.optimizers:LinearDecay"}, "no settings like .* missing"),
        ({"type": "jaxgen.checks:require", "holds": True}, "no settings like"),
        ({"type": "experiments.runs.run_folder:move_aside", "folder": "/tmp"}, "no settings like"),
        ({"type": "experiments.runs.run_folder:UserError"}, "no settings like"),
        ({"type": "jaxgen.gans.wgan_gp:MLP"}, "no settings like"),
        (ADAM | {"learning_rate": -1.0}, "learning_rate is -1.0"),
        (ADAM | {"learning_rate": "fast"}, "learning_rate is 'fast' .* must be float"),
        (ADAM | {"learning_rate": True}, "learning_rate is True .* must be float"),
        (ADAM | {"schedule": 3}, "schedule is 3"),
        (ADAM | {"clip_norm": "none"}, "clip_norm is 'none' .* must be float | None"),
        (
            ADAM | {"rule": {"type": "jaxgen.optimizers:Constant"}},
            r"rule is Constant\(\) in jaxgen.optimizers:Optimizer",
        ),
        (ADAM | {"rule": {"type": "jaxgen.optimizers:Adam", "learning_rate": 1e-3}}, "no setting 'learning_rate'"),
        ({"type": "jaxgen.optimizers:Optimizer", "learning_rate": 1e-3}, "no settings like .* missing .* 'rule'"),
        ({"type": "jaxgen.nets.mlp:MLP", "features": [8, "wide"]}, "features is"),
        ({"type": "jaxgen.nets.mlp:MLP", "features": 8}, "features is 8"),
        ({"type": "jaxgen.gans.wgan_gp:Config", "critic_steps": 1.5}, "critic_steps is 1.5 .* must be int"),
        ({"type": "jaxgen.gans.wgan_gp:Config", "generator": {"type": "jaxgen.optimizers:SGD"}}, "generator is SGD"),
    ],
)
def test_settings_from_elsewhere_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        settings.from_json(data)


@pytest.mark.parametrize(("old", "new"), former.MOVED.items())
def test_a_type_that_has_moved_is_there_under_its_new_name(old, new):
    assert former.upgraded([{"type": old, "x": 1}]) == [{"type": new, "x": 1}]
    module, _, name = new.partition(":")
    assert dataclasses.is_dataclass(getattr(importlib.import_module(module), name))


def test_paths_come_back_as_paths():
    chosen = dataclasses.replace(experiment.load("wgan_gp_digits"), data_dir=pathlib.Path("a/b"))
    assert settings.from_json(settings.to_json(chosen)) == chosen


FORMER = {
    "type": "jaxgen.gans.wgan_gp:Config",
    "critic_steps": 3,
    "generator_optimizer": {"type": "jaxgen.optimizers:RMSProp", "learning_rate": 0.1, "decay": 0.5, "eps": 1e-3},
    "critic_optimizer": {
        "type": "jaxgen.optimizers:SGD",
        "learning_rate": 0.2,
        "momentum": 0.5,
        "schedule": {"type": "jaxgen.optimizers:LinearDecay", "end": 7, "begin": 2},
        "accumulate": 4,
    },
}


def test_optimizers_of_the_former_form_become_composed_ones():
    assert settings.from_json(former.upgraded(FORMER)) == wgan_gp.Config(
        critic_steps=3,
        generator_optimizer=Optimizer(0.1, RMSProp(0.5, 1e-3)),
        critic_optimizer=Optimizer(0.2, SGD(0.5), LinearDecay(7, 2), accumulate=4),
    )
    assert former.upgraded([1, {"type": ["odd"]}, None]) == [1, {"type": ["odd"]}, None]


def test_numbers_that_are_not_finite_are_found_by_their_path():
    config = wgan_gp.Config(penalty_weight=math.inf, critic_optimizer=Optimizer(1e-3, Adam(eps=math.inf)))
    assert settings.not_finite(config) == [("penalty_weight", math.inf), ("critic_optimizer.rule.eps", math.inf)]
    assert settings.not_finite(experiment.load("wgan_gp_digits")) == []


def test_what_is_no_setting_is_refused():
    with pytest.raises(TypeError, match="is no setting"):
        settings.to_json(lambda: 1)


def test_differences_name_the_path_and_both_values():
    old = settings.to_json(wgan_gp.Config())
    new = settings.to_json(
        dataclasses.replace(wgan_gp.Config(), critic_steps=3, generator_optimizer=Optimizer(2e-4, Adam(0.0, 0.9)))
    )
    assert settings.differences(old, new) == [
        "critic_steps: 5 -> 3",
        "generator_optimizer.learning_rate: 0.0001 -> 0.0002",
    ]
    assert settings.differences(old, old) == []
