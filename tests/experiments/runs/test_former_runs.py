"""Runs of the first version go on: their config.json as that version wrote it, at 20 steps of three experiments."""

import dataclasses
import hashlib
import json

import pytest

from experiments.checkpoints import arrays, checksums
from experiments.command_line.errors import UserError
from experiments.runs import experiment, former, restore, run_folder, settings
from jaxgen.autoencoders import cvae
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.moving_averages import Exponential
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from tests.experiments import small_runs

WGAN_GP_DIGITS = """\
{"format": 1, "run": "ffdc1d4660d445ebaf90b604bc615ec0", "experiment": "wgan_gp_digits", "has_checkpoint": true,
"settings": {"type": "experiments.experiment:Experiment", "model": {"type": "jaxgen.gans.wgan_gp:Config",
"image_shape": [8, 8, 1], "value_range": [-1.0, 1.0], "latent_dim": 32, "generator": {"type": "jaxgen.nets.mlp:MLP",
"features": [256, 256, 256], "activation": "leaky_relu", "negative_slope": 0.0, "norm": "none", "initializer":
{"type": "jaxgen.nets.initializers:LeCunNormal"}, "dtype": "float32"}, "critic": {"type": "jaxgen.nets.mlp:MLP",
"features": [256, 256, 256], "activation": "leaky_relu", "negative_slope": 0.2, "norm": "none", "initializer":
{"type": "jaxgen.nets.initializers:LeCunNormal"}, "dtype": "float32"}, "penalty_weight": 10.0, "one_sided": false,
"critic_steps": 5, "generator_optimizer": {"type": "jaxgen.optimizers:Adam", "learning_rate": 0.001, "b1": 0.0, "b2":
0.9, "eps": 1e-08, "eps_root": 0.0, "schedule": {"type": "jaxgen.optimizers:Constant"}, "accumulate": 1},
"critic_optimizer": {"type": "jaxgen.optimizers:Adam", "learning_rate": 0.001, "b1": 0.0, "b2": 0.9, "eps": 1e-08,
"eps_root": 0.0, "schedule": {"type": "jaxgen.optimizers:Constant"}, "accumulate": 1}, "ema_decay": 0.999}, "data":
"digits", "data_dir": null, "images": {"type": "experiments.data.options:ImageOptions", "size": null, "crop":
"centre", "pad": 0, "flip": false, "channels": null, "resample": "lanczos", "swap": false, "caption_length": 128},
"storage": {"type": "experiments.data.options:StorageOptions", "device_bytes": null, "host_bytes": 4294967296,
"ahead_bytes": 268435456, "threads": 4}, "steps": 20, "batch_size": 64, "seed": 0, "out": null, "parallel": "jit",
"steps_per_call": 20, "log_every": 100, "sample_every": 1000, "checkpoint_every": 1000, "eval_every": null,
"eval_samples": 1000, "keep": 3, "best": null, "best_mode": "min", "num_samples": 64, "pictures": ["samples"], "log":
[], "resume": true, "shard_state": false, "check_replicas": false, "compilation_cache": null, "distributed": false,
"coordinator": null, "num_processes": null, "process_id": null, "start_timeout": 120, "heartbeat_timeout": 20},
"sessions": [{"from_step": 0, "time": "2026-11-29T11:08:41+0000", "command": ["wgan_gp_digits", "--steps", "20",
"--out"], "python": "3.11.7", "versions": {"jaxgen": "0.1.0", "jax": "0.10.2", "jaxlib": "0.10.2", "flax": "0.12.8",
"optax": "0.2.8", "orbax-checkpoint": "0.12.8", "numpy": "2.4.6"}, "devices": ["cpu:0"], "processes": 1, "platform":
"Linux x86_64, 2 CPU cores"}]}
"""

GAN_RING8 = """\
{"format": 1, "run": "10844802e8f84321893cba550541f553", "experiment": "gan_ring8", "has_checkpoint": true,
"settings": {"type": "experiments.experiment:Experiment", "model": {"type": "jaxgen.gans.gan:Config", "image_shape":
[2], "value_range": null, "prior": {"type": "jaxgen.gans.priors:Normal", "dim": 8}, "objective": {"type":
"jaxgen.gans.objectives:NonSaturating", "smoothing": 0.0}, "generator": {"type": "jaxgen.nets.mlp:MLP", "features":
[128, 128, 128], "activation": "leaky_relu", "negative_slope": 0.0, "norm": "none", "initializer": {"type":
"jaxgen.nets.initializers:LeCunNormal"}, "dtype": "float32"}, "discriminator": {"type": "jaxgen.nets.mlp:MLP",
"features": [128, 128, 128], "activation": "leaky_relu", "negative_slope": 0.2, "norm": "none", "initializer":
{"type": "jaxgen.nets.initializers:LeCunNormal"}, "dtype": "float32"}, "discriminator_steps": 1, "view": {"type":
"jaxgen.gans.discrimination:Discrimination", "joint": false, "flip": 0.0, "noise": {"type":
"jaxgen.gans.discrimination:InstanceNoise", "std": 0.3, "end": 12000}}, "generator_optimizer": {"type":
"jaxgen.optimizers:Adam", "learning_rate": 0.001, "b1": 0.5, "b2": 0.999, "eps": 1e-08, "eps_root": 0.0, "schedule":
{"type": "jaxgen.optimizers:LinearDecay", "end": 20000, "begin": 0}, "accumulate": 1}, "discriminator_optimizer":
{"type": "jaxgen.optimizers:Adam", "learning_rate": 0.001, "b1": 0.5, "b2": 0.999, "eps": 1e-08, "eps_root": 0.0,
"schedule": {"type": "jaxgen.optimizers:LinearDecay", "end": 20000, "begin": 0}, "accumulate": 1}, "ema_decay": 0.0},
"data": "ring8", "data_dir": null, "images": {"type": "experiments.data.options:ImageOptions", "size": null, "crop":
"centre", "pad": 0, "flip": false, "channels": null, "resample": "lanczos", "swap": false, "caption_length": 128},
"storage": {"type": "experiments.data.options:StorageOptions", "device_bytes": null, "host_bytes": 4294967296,
"ahead_bytes": 268435456, "threads": 4}, "steps": 20, "batch_size": 256, "seed": 0, "out": null, "parallel": "jit",
"steps_per_call": 50, "log_every": 500, "sample_every": 2000, "checkpoint_every": 2000, "eval_every": null,
"eval_samples": 1000, "keep": 3, "best": null, "best_mode": "min", "num_samples": 1000, "pictures": ["samples",
"level_sets"], "log": [], "resume": true, "shard_state": false, "check_replicas": false, "compilation_cache": null,
"distributed": false, "coordinator": null, "num_processes": null, "process_id": null, "start_timeout": 120,
"heartbeat_timeout": 20}, "sessions": [{"from_step": 0, "time": "2026-11-29T11:08:47+0000", "command": ["gan_ring8",
"--steps", "20", "--out"], "python": "3.11.7", "versions": {"jaxgen": "0.1.0", "jax": "0.10.2", "jaxlib": "0.10.2",
"flax": "0.12.8", "optax": "0.2.8", "orbax-checkpoint": "0.12.8", "numpy": "2.4.6"}, "devices": ["cpu:0"],
"processes": 1, "platform": "Linux x86_64, 2 CPU cores"}]}
"""

CVAE_MNIST = """\
{"format": 1, "run": "7a0e35cf1d554fc0a83a61a0493234d9", "experiment": "cvae_mnist", "has_checkpoint": true,
"settings": {"type": "experiments.experiment:Experiment", "model": {"type": "jaxgen.autoencoders.cvae:Config",
"image_shape": [8, 8, 1], "value_range": [0.0, 1.0], "num_classes": 10, "latent_dim": 2, "encoder": {"type":
"jaxgen.nets.conditioning:AsChannel", "net": {"type": "jaxgen.nets.conv_autoencoder:ConvEncoder", "channels": [32,
64], "kernel_size": 3, "features": [16], "bottleneck": "dense", "negative_slope": 0.0, "norm": "none", "dtype":
"float32"}}, "decoder": {"type": "jaxgen.nets.conditioning:Beside", "net": {"type":
"jaxgen.nets.conv_autoencoder:ConvDecoder", "channels": [64, 64, 32], "kernel_size": 3, "features": [],
"output_strides": 1, "linear_map": true, "bottleneck": "dense", "negative_slope": 0.0, "norm": "none", "dtype":
"float32"}}, "prior": null, "likelihood": {"type": "jaxgen.autoencoders.likelihoods:Bernoulli", "binarize":
"each_step"}, "objective": {"type": "jaxgen.autoencoders.bounds:ELBO", "beta": 1.0, "free_bits": 0.0, "warm_up": 0,
"num_samples": 1}, "optimizer": {"type": "jaxgen.optimizers:Adam", "learning_rate": 0.001, "b1": 0.9, "b2": 0.999,
"eps": 1e-08, "eps_root": 0.0, "schedule": {"type": "jaxgen.optimizers:Constant"}, "accumulate": 1}}, "data":
"digits", "data_dir": null, "images": {"type": "experiments.data.options:ImageOptions", "size": null, "crop":
"centre", "pad": 0, "flip": false, "channels": null, "resample": "lanczos", "swap": false, "caption_length": 128},
"storage": {"type": "experiments.data.options:StorageOptions", "device_bytes": null, "host_bytes": 4294967296,
"ahead_bytes": 268435456, "threads": 4}, "steps": 20, "batch_size": 128, "seed": 0, "out": null, "parallel": "jit",
"steps_per_call": 10, "log_every": 100, "sample_every": 500, "checkpoint_every": 500, "eval_every": null,
"eval_samples": 1000, "keep": 3, "best": null, "best_mode": "min", "num_samples": 64, "pictures": ["samples",
"reconstructions", "codes", "code_grid"], "log": [], "resume": true, "shard_state": false, "check_replicas": false,
"compilation_cache": null, "distributed": false, "coordinator": null, "num_processes": null, "process_id": null,
"start_timeout": 120, "heartbeat_timeout": 20}, "sessions": [{"from_step": 0, "time": "2026-11-29T11:09:07+0000",
"command": ["cvae_mnist", "--data", "digits", "--steps", "20", "--out"], "python": "3.11.7", "versions": {"jaxgen":
"0.1.0", "jax": "0.10.2", "jaxlib": "0.10.2", "flax": "0.12.8", "optax": "0.2.8", "orbax-checkpoint": "0.12.8",
"numpy": "2.4.6"}, "devices": ["cpu:0"], "processes": 1, "platform": "Linux x86_64, 2 CPU cores"}]}
"""

RUNS = {
    "wgan_gp_digits": (WGAN_GP_DIGITS, "507ba7913d3e567f"),
    "gan_ring8": (GAN_RING8, "7827f81a3c14bba3"),
    "cvae_mnist": (CVAE_MNIST, "6f3f2aa3cb55ad09"),
}
"""The text, and the SHA-256, its first 16 digits, of the names, shapes and types of the arrays in its checkpoint."""


@pytest.fixture(params=RUNS)
def run(request, tmp_path):
    text, arrays_there = RUNS[request.param]
    (tmp_path / "config.json").write_text(text)
    return request.param, tmp_path, arrays_there


def todays(name):
    """The experiment of today, with the data and the length that the former run was given."""
    chosen = dataclasses.replace(experiment.load(name), steps=20)
    if name != "cvae_mnist":
        return chosen
    model = dataclasses.replace(chosen.model, image_shape=(8, 8, 1))
    return dataclasses.replace(chosen, data="digits", model=model)


def test_a_former_run_has_the_settings_of_todays_experiment(run):
    name, folder, _ = run
    assert run_folder.read(folder) == (name, todays(name))


def test_a_former_run_goes_on_and_is_written_in_todays_format(run):
    name, folder, _ = run
    assert run_folder.begin(folder, name, dataclasses.replace(todays(name), steps=30)) is True
    run_folder.record_session(folder, todays(name), 20)
    record = json.loads((folder / "config.json").read_text())
    assert record["format"] == run_folder.FORMAT
    assert record["settings"] == settings.to_json(todays(name))
    assert [session["from_step"] for session in record["sessions"]] == [0, 20]


def test_its_checkpoints_hold_the_arrays_of_todays_state(run):
    _, folder, arrays_there = run
    _, chosen = run_folder.read(folder)
    here = checksums.described(arrays.without_keys(restore.abstract_state(chosen)))
    assert hashlib.sha256(json.dumps(here, sort_keys=True).encode()).hexdigest()[:16] == arrays_there


def test_a_checkpoint_of_another_structure_is_refused_with_what_to_do(tmp_path):
    folder = small_runs.save(small_runs.WIDE, tmp_path)
    record = json.loads((folder / "config.json").read_text())
    record["settings"]["model"]["latent_dim"] = 11
    (folder / "config.json").write_text(json.dumps(record))
    message = "in this model, which has changed; go on with the version of jaxgen that wrote it, or train anew"
    with pytest.raises(UserError, match=message) as caught:
        restore.newest(folder)
    assert "\n" not in str(caught.value)


def test_noise_of_a_view_becomes_a_network_around_the_discriminator():
    noise = {"type": "jaxgen.gans.discrimination:InstanceNoise", "std": 0.25, "end": 9}
    view = {"type": "jaxgen.gans.discrimination:Discrimination", "joint": True, "flip": 0.125, "noise": noise}
    net = {"type": "jaxgen.nets.mlp:MLP", "features": [3]}
    config = {"type": "jaxgen.gans.gan:Config", "discriminator": net, "view": view, "ema_decay": 0.5}
    found = settings.from_json(former.upgraded(config))
    assert found == gan.Config(
        discriminator=InstanceNoise(MLP((3,)), std=0.25, end=9),
        discrimination=Discrimination(joint=True, flip=0.125),
        average=Exponential(0.5),
    )


def test_a_network_of_a_prior_keeps_its_name_apart_from_the_prior():
    config = {"type": "jaxgen.autoencoders.cvae:Config", "prior": {"type": "jaxgen.nets.mlp:MLP", "features": [3]}}
    assert settings.from_json(former.upgraded(config)) == cvae.Config(prior_network=MLP((3,)))
