"""The shelf of the style-based generators, with a small synthesis network: each layer adds to the image."""

import dataclasses
import pathlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import styles
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Constant
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.noise_maps import noise_map
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.priors import Normal
from tests.gans.games import compiled
from tests.pages import blocks

LAYERS = 4


class Sum(nn.Module):
    """The image is a sum of linear maps of the styles, one for each layer, and noise."""

    @nn.nowrap
    def num_styles(self, output_shape):
        return LAYERS

    @nn.compact
    def __call__(self, ws, output_shape, *, mode=EVALUATION):
        assert ws.shape[1] == LAYERS
        maps = [nn.Dense(4, use_bias=False, name=f"layer{n}")(ws[:, n]) for n in range(LAYERS)]
        strength = self.param("noise_strength", nn.initializers.constant(0.1), ())
        return jnp.stack(maps).sum(0).reshape(-1, *output_shape) + strength * noise_map((2, 2), ws.shape[0], 0, mode)


@dataclass(frozen=True)
class Config:
    image_shape: tuple[int, ...] = (2, 2, 1)
    value_range: Any = None
    num_classes: int = 0
    prior: Any = Normal(3)
    mapping: Any = Mapping(2, 5, lr_multiplier=1.0)
    synthesis: Any = Sum()
    style_decay: float = 0.75
    generator_optimizer: Any = Optimizer(0.1, SGD())
    average: Any = Constant(0.5)
    drawing: Any = styles.Drawing()


class State(NamedTuple):
    ema: Any


CONFIG = Config()
GENERATOR = jax.jit(lambda: styles.create_generator(CONFIG, jax.random.key(0)))()
EMA = GENERATOR.variables | {"averages": {"w": jnp.arange(5.0)}}
STATE = State(EMA)
LATENTS = jax.random.normal(jax.random.key(1), (6, 3))
WS = jax.random.normal(jax.random.key(2), (6, LAYERS, 5))
OTHERS = jax.random.normal(jax.random.key(3), (6, LAYERS, 5))
AVERAGE = jnp.arange(5.0)


def drawn(**drawing):
    return dataclasses.replace(CONFIG, drawing=styles.Drawing(**drawing))


def test_a_generator_is_one_player_of_two_networks_and_the_average_of_w():
    assert GENERATOR.params.keys() == {"mapping", "synthesis"}
    assert not GENERATOR.collections["averages"]["w"].any() and EMA["averages"]["w"].shape == (5,)
    w, _ = styles.to_styles(CONFIG, GENERATOR.variables, LATENTS)
    wanted = CONFIG.mapping.apply({"params": GENERATOR.params["mapping"]}, LATENTS)
    np.testing.assert_allclose(w, wanted, rtol=1e-6)


def test_the_average_of_w_moves_in_training_alone_to_the_mean_over_all_devices():
    before = GENERATOR.variables
    w, after = styles.to_styles(CONFIG, EMA, LATENTS)
    assert after is EMA or not np.any(after["averages"]["w"] - AVERAGE)
    _, after = styles.to_styles(CONFIG, EMA, LATENTS, mode=Mode(train=True))
    np.testing.assert_allclose(after["averages"]["w"], 0.75 * AVERAGE + 0.25 * w.mean(0), rtol=1e-6)

    def share(latents):
        mode = Mode(train=True, axis_name="shares")
        return styles.to_styles(CONFIG, before, latents, mode=mode)[1]["averages"]["w"]

    found = jax.vmap(share, axis_name="shares")(LATENTS.reshape(2, 3, 3))
    np.testing.assert_allclose(found, jnp.tile(0.25 * w.mean(0), (2, 1)), rtol=1e-5)


def test_no_gradient_flows_through_the_average():
    def total(params):
        variables = {**EMA, "params": params}
        return styles.to_styles(CONFIG, variables, LATENTS, mode=Mode(train=True))[1]["averages"]["w"].sum()

    assert not any(leaf.any() for leaf in jax.tree.leaves(jax.grad(total)(EMA["params"])))


@pytest.mark.parametrize("crossover", [0, 1, 3, LAYERS])
def test_mixing_takes_the_first_layers_of_one_and_the_others_of_the_other(crossover):
    found = styles.mix(WS, OTHERS, crossover)
    np.testing.assert_array_equal(found, np.concatenate([WS[:, :crossover], OTHERS[:, crossover:]], axis=1))
    each = jnp.array([0, 1, 2, 3, 4, 4])
    wanted = [styles.mix(WS[n : n + 1], OTHERS[n : n + 1], int(number))[0] for n, number in enumerate(each)]
    np.testing.assert_array_equal(styles.mix(WS, OTHERS, each), wanted)


def test_training_mixes_a_share_of_the_examples_at_layers_that_are_equally_frequent():
    num = 4000
    ones, mode = jnp.ones((num, 5, 1)), Mode(jax.random.split(jax.random.key(4), num), train=True)
    found = styles.mixed(ones, 0 * ones, 0.9, mode)[:, :, 0].sum(1).astype(jnp.int32)  # layers of the first
    shares = np.bincount(found, minlength=6) / num
    np.testing.assert_allclose(shares, [0, 0.225, 0.225, 0.225, 0.225, 0.1], atol=0.03)
    found = styles.mixed(ones, 0 * ones, 1.0, mode, layers=3)[:, :, 0].sum(1).astype(jnp.int32)
    np.testing.assert_allclose(np.bincount(found, minlength=6) / num, [0, 0.5, 0.5, 0, 0, 0], atol=0.03)
    np.testing.assert_array_equal(styles.mixed(WS, OTHERS, 0.0, EVALUATION), WS)
    np.testing.assert_array_equal(styles.mixed(WS, OTHERS, 1.0, EVALUATION, layers=1), WS)
    with pytest.raises(ValueError, match="style mixing draws random numbers"):
        styles.mixed(WS, OTHERS, 0.9, EVALUATION)


def test_truncation_keeps_a_share_of_the_distance_to_the_average_in_the_first_layers():
    np.testing.assert_allclose(styles.truncate(WS, AVERAGE, 1.0), WS, atol=1e-6)
    np.testing.assert_array_equal(styles.truncate(WS, AVERAGE, 0.0), jnp.tile(AVERAGE, (6, LAYERS, 1)))
    half = styles.truncate(WS, AVERAGE, 0.5)
    np.testing.assert_allclose(half, (WS + AVERAGE[None, None]) / 2, atol=1e-6)
    np.testing.assert_allclose(styles.truncate(half, AVERAGE, 0.5), styles.truncate(WS, AVERAGE, 0.25), atol=1e-5)
    found = styles.truncate(WS, AVERAGE, 0.5, cutoff=2)
    np.testing.assert_array_equal(found, np.concatenate([half[:, :2], WS[:, 2:]], axis=1))


def test_images_of_states_pass_through_w_and_w_plus():
    images = compiled(styles.from_latents, CONFIG)(STATE, LATENTS)
    ws = compiled(styles.to_w_plus, CONFIG)(STATE, LATENTS)
    np.testing.assert_allclose(ws, styles.broadcast(compiled(styles.to_w, CONFIG)(STATE, LATENTS), LAYERS), atol=1e-6)
    np.testing.assert_allclose(compiled(styles.from_w_plus, CONFIG)(STATE, ws), images, atol=1e-6)
    kernels = [EMA["params"]["synthesis"][f"layer{n}"]["kernel"] for n in range(LAYERS)]
    wanted = jnp.stack([ws[:, n] @ kernel for n, kernel in enumerate(kernels)]).sum(0).reshape(6, 2, 2, 1)
    found = compiled(styles.from_w_plus, drawn(noise=0.0))(STATE, ws)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(
        images - found, 0.1 * jnp.tile(noise_map((2, 2), 1, 0, EVALUATION), (6, 1, 1, 1)), atol=1e-5
    )


def test_psi_0_gives_one_image_and_in_the_first_layers_alone_it_leaves_the_others():
    images = compiled(styles.from_latents, drawn(psi=0.0))(STATE, LATENTS)
    np.testing.assert_array_equal(images, jnp.tile(images[:1], (6, 1, 1, 1)))
    ws = compiled(styles.to_w_plus, drawn(psi=0.0, cutoff=2))(STATE, LATENTS)
    np.testing.assert_array_equal(ws[:, :2], jnp.tile(AVERAGE, (6, 2, 1)))
    np.testing.assert_allclose(ws[:, 2:], compiled(styles.to_w_plus, CONFIG)(STATE, LATENTS)[:, 2:], atol=1e-6)


def test_noise_of_samples_is_fixed_or_each_images_own():
    keys = example_keys(jax.random.key(5), 6)
    latents = CONFIG.prior.draw(keys, 6)
    fixed = styles.sample(CONFIG, STATE, keys, 6)
    np.testing.assert_allclose(fixed, compiled(styles.from_latents, CONFIG)(STATE, latents), atol=1e-6)
    random = styles.sample(drawn(random_noise=True), STATE, keys, 6)
    noise = (random - compiled(styles.from_latents, drawn(noise=0.0))(STATE, latents)).reshape(6, -1) / 0.1
    assert np.abs(noise - noise[:1]).max(1)[1:].min() > 0.1 and 0.5 < noise.std() < 1.5
    again = styles.sample(drawn(random_noise=True), STATE, keys[2:4], 2)
    np.testing.assert_allclose(again, random[2:4], atol=1e-6)


def test_classes_are_given_to_the_mapping_in_turn_without_labels():
    config = dataclasses.replace(CONFIG, num_classes=3, mapping=InnerCondition(CONFIG.mapping), value_range=(0.0, 1.0))
    generator = jax.jit(lambda: styles.create_generator(config, jax.random.key(0), (3,)))()
    state = State(generator.variables)
    images = compiled(styles.from_latents, config)(state, LATENTS)
    assert images.min() >= 0.0 and images.max() <= 1.0
    labels = jnp.array([0, 1, 2, 0, 1, 2], jnp.int32)
    np.testing.assert_array_equal(images, compiled(styles.from_latents, config)(state, LATENTS, labels))
    ws = [compiled(styles.to_w, config)(state, LATENTS, given) for given in (labels, (labels + 1) % 3)]
    assert (np.abs(ws[0] - ws[1]).max(1) > 1e-4).all()


def test_the_moving_average_is_of_the_params_and_has_the_collections_of_the_generator():
    moved = GENERATOR.replace(
        params=jax.tree.map(lambda leaf: leaf + 2.0, GENERATOR.params), collections={"averages": {"w": 7 * AVERAGE}}
    )
    found = styles.averaged(CONFIG, EMA, moved)
    np.testing.assert_array_equal(found["averages"]["w"], 7 * AVERAGE)
    for new, old in zip(jax.tree.leaves(found["params"]), jax.tree.leaves(EMA["params"]), strict=True):
        np.testing.assert_allclose(new, old + 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cutoff": -1}, "cutoff is -1, but must be at least 0, or None"),
        ({"noise": -0.5}, "noise is -0.5, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        styles.Drawing(**changes)


@pytest.mark.exhaustive
def test_the_page_of_styles_runs_as_it_stands():
    namespace: dict[str, Any] = {}
    for block in blocks(pathlib.Path("docs/styles.md").read_text(encoding="utf-8"), "python"):
        exec(block, namespace)
    assert namespace["images"].shape == (1, 8, 8, 3) and namespace["samples"].shape == (3, 8, 8, 3)
    assert namespace["moved"].shape == (1, 8, 8, 3) and namespace["wide"].shape == (1, 8, 12, 3)
    assert namespace["high"].shape == (2, 16, 8, 3) and namespace["toon"].shape == (2, 8, 8, 3)
