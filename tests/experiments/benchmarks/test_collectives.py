"""What a program's text says of its collectives."""

import dataclasses
import math

import jax
import pytest

from experiments.benchmarks import collectives
from experiments.command_line.errors import UserError
from experiments.runs import experiment
from jaxgen.autoencoders import vae
from jaxgen.gans import wgan_gp
from jaxgen.nets.mlp import MLP

TINY = wgan_gp.Config(image_shape=(4, 4, 1), latent_dim=4, generator=MLP((8,)), critic=MLP((12,)), critic_steps=3)
CHOSEN = dataclasses.replace(experiment.load("wgan_gp_digits"), model=TINY, batch_size=8)


def num_bytes(tree):
    return sum(4 * math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


@pytest.fixture(scope="module")
def state():
    state, _ = collectives.shapes_of(CHOSEN, 8)
    return state


def test_four_devices_exchange_the_gradient_once_and_a_few_numbers():
    """Of a model that uses each weight in one pass; XLA on CPU does not merge those of several, as accelerators do."""
    model = vae.Config(image_shape=(4, 4, 1), latent_dim=3, encoder=MLP((8,)), decoder=MLP((12,)))
    chosen = dataclasses.replace(experiment.load("vae_digits"), model=model, batch_size=8)
    state, _ = collectives.shapes_of(chosen, 8)
    found = collectives.collectives(collectives.program(chosen, 8, jax.devices()).as_text())
    assert {one.kind for one in found} == {"all-reduce"}
    assert sum(one.times * one.array_bytes for one in found) == num_bytes(state.autoencoder.params)
    numbers = sum(one.times * (one.bytes - one.array_bytes) for one in found)
    assert 0 < numbers <= 40


def test_the_gradient_penalty_reduces_no_more_than_twice_the_gradient(state):
    found = collectives.collectives(collectives.program(CHOSEN, 8, jax.devices()).as_text())
    gradients = 3 * num_bytes(state.critic.params) + num_bytes(state.generator.params)
    assert gradients <= sum(one.times * one.array_bytes for one in found) <= 2 * gradients


def test_one_device_exchanges_nothing():
    assert collectives.collectives(collectives.program(CHOSEN, 8, jax.devices()[:1]).as_text()) == []


def test_a_state_that_is_cut_takes_a_quarter(state):
    whole, cut = (collectives.state_bytes(state, jax.devices(), shard_state=cut) for cut in (False, True))
    assert whole == sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    assert whole / 4 <= cut < whole / 3.5


def test_the_report_names_batch_rate_and_bytes(state):
    lines = "\n".join(collectives.report(CHOSEN, collectives.Options(devices=4)))
    assert "batch 32 = 4 x 8, 4 times the experiment's" in lines
    assert "times 2 for Adam (square root), 4 for SGD" in lines
    assert f"{collectives.state_bytes(state, jax.devices(), shard_state=True):,} of " in lines
    assert "all-gather" in lines.partition("cut over the devices")[2]
    with pytest.raises(UserError, match="there are 4 devices, not 8"):
        list(collectives.report(CHOSEN, collectives.Options(devices=8)))


def test_loops_tuples_and_asynchronous_forms_are_counted():
    text = """HloModule m
%body.1 (a: f32[4]) -> f32[4] {
  %r = (f32[8,4]{1,0}, f32[]) all-reduce(%a, %b), to_apply=%add
}
%inner (a: f32[4]) -> f32[4] {
  %g = (bf16[4]{0}, bf16[16]{0}) all-gather-start(%a), dimensions={0}
}
ENTRY %main.2 (a: f32[4]) -> f32[4] {
  %w = (f32[4]) while(%t), condition=%c, body=%body.1, backend_config={"known_trip_count":{"n":"5"}}
  ROOT %f = f32[4] call(%w), to_apply=%inner
}
"""
    reduced, gathered = collectives.collectives(text)
    assert (reduced.kind, reduced.times, reduced.bytes, reduced.array_bytes) == ("all-reduce", 5, 132, 128)
    assert (gathered.kind, gathered.times, gathered.bytes) == ("all-gather", 1, 32)


def test_a_batch_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="--batch-size 6 does not divide over 4 devices; use a multiple of 4"):
        collectives.Options(devices=4, batch_size=6)
