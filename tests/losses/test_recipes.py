"""The recipes of other libraries run as they stand, and what they warn of is so."""

import inspect
import pathlib
import re

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from flax.errors import InvalidRngError, TraceContextError

from jaxgen import losses
from tests import pages

PAGE = (pathlib.Path(losses.__file__).parents[2] / "docs" / "recipes.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
NEEDS = {"Haiku": "haiku"}  # of the extra `test`; the recipe is skipped where it is not installed


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("library", SECTIONS)
def test_recipe_runs_as_it_stands(library):
    if library in NEEDS:
        pytest.importorskip(NEEDS[library], reason=f"{NEEDS[library]} is not installed")
    for source in pages.blocks(SECTIONS[library], "python"):
        names: dict = {}
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # as a reader has it
            exec(compile(source, f"recipes.md, {library}", "exec"), names)
        leaves = [leaf for leaf in jax.tree.leaves(names["gradient"]) if leaf is not None]
        assert leaves and all(jnp.isfinite(leaf).all() for leaf in leaves)
        assert any((leaf != 0).any() for leaf in leaves)


def test_every_library_of_the_table_has_a_section():
    table = re.findall(r"^\| (\w.+?) \|", PAGE, re.MULTILINE)
    assert [name.lower() for name in table] == ["critic", *(name.lower() for name in SECTIONS)]


@pytest.mark.parametrize(
    "stateful", [lambda: nnx.Dropout(0.5, rngs=nnx.Rngs(0)), lambda: nnx.BatchNorm(3, rngs=nnx.Rngs(0))]
)
def test_an_nnx_critic_with_state_needs_a_copy_inside_the_penalty(stateful):
    critic = nnx.Sequential(stateful(), nnx.Linear(3, 1, rngs=nnx.Rngs(1)))
    points = jnp.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    with pytest.raises(TraceContextError):
        losses.gradient_penalty(lambda x: critic(x)[:, 0], points)
    graphdef, state = nnx.split(critic)
    cloned = losses.gradient_penalty(lambda x: nnx.clone(critic)(x)[:, 0], points)
    merged = losses.gradient_penalty(lambda x: nnx.merge(graphdef, state, copy=True)(x)[:, 0], points)
    assert (cloned == merged).all() and jnp.isfinite(cloned).all()


def test_dropout_of_linen_needs_a_key_in_training():
    module = nn.Dropout(0.5, deterministic=False)
    with pytest.raises(InvalidRngError):
        losses.r1_penalty(lambda x: module.apply({}, x).sum(axis=1), jnp.ones((2, 3)))


@pytest.mark.parametrize(
    ("critic", "advice"),
    [
        (lambda x: x.sum(axis=(1, 2), keepdims=True)[:, :, 0], r"drop the axis of size one with squeeze\(-1\)"),
        (lambda x: x, r"take the mean over patches, scores.mean\(axis=\(1, 2\)\)"),
        (lambda x: x.sum(axis=1), r"take the mean over patches, scores.mean\(axis=\(1,\)\)"),
        (lambda x: x.sum(), r"without a mean over the batch; of a critic of one example give jax.vmap\(critic\)"),
        (lambda x: x.reshape(-1), r"give jax.vmap\(critic\)"),
        (lambda x: (x.sum(axis=(1, 2)), {}), "scores is a tuple, but must be an array"),
    ],
)
def test_advice_on_scores_of_other_shapes_makes_a_critic(critic, advice):
    points = jnp.ones((2, 3, 4))
    with pytest.raises(ValueError, match=advice):
        losses.slopes(critic, points)


def test_advice_on_patches_is_taken_by_losses_and_penalties():
    points = jnp.arange(24.0).reshape(2, 3, 4)
    assert losses.slopes(lambda x: jnp.sin(x).mean(axis=(1, 2)), points).shape == points.shape
    patches = jnp.sin(points).reshape(len(points), -1)
    of_each = jax.vmap(losses.non_saturating_generator, 1, 1)(patches)
    assert of_each.shape == patches.shape
    with pytest.raises(ValueError, match=r"jax.vmap\(loss, 1, 1\) of .*take a critic.s mean over them"):
        losses.non_saturating_generator(patches)


def test_keys_and_points_in_the_place_of_numbers_are_named():
    real, fake = jnp.ones((2, 3)), jnp.zeros((2, 3))
    with pytest.raises(ValueError, match=r"mix is a random key: give jax.random.uniform\(key, \(2,\)\)"):
        inspect.unwrap(losses.interpolate)(real, fake, jax.random.key(0))  # types are checked in tests alone
    with pytest.raises(ValueError, match=r"target is an array of shape \(2, 3\), .* interpolate\(real, fake, mix\)"):
        inspect.unwrap(losses.gradient_penalty)(lambda x: x.sum(axis=1), real, fake)
