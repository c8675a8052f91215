"""The style-based generators' shelf: styles w of latents z, and images of styles, which may differ from layer to layer.

- Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948:
  the mapping, mixing and truncation.
- Abdal, Qin, Wonka: Image2StyleGAN, 2019, arXiv 1904.03189: the space W+.

A generator is one player of two networks, `mapping` and `synthesis`:

    w = mapping(z), or mapping(z, y)           space W:  (batch, features)
    ws = w for each of the L layers            space W+: (batch, L, features)
    x = synthesis(ws)

and the average of w over all latents so far, which training moves and towards which styles are truncated. A config
names `mapping`, `synthesis`, `prior`, `image_shape`, `value_range`, `num_classes` (0 for a model without classes; else
the mapping takes them one-hot: `InnerCondition(Mapping())`), `style_decay` of the average, `generator_optimizer`,
`average` of the params, and `drawing`. A state has `generator` and `ema`. A synthesis network is called as
`synthesis(ws, output_shape, *, mode)` and has a method `num_styles(output_shape)`, which says L.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import NonNegativeFloat, require, require_bounds
from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans.discrimination import GENERATOR
from jaxgen.images import clip
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.noise_maps import scaled_strengths
from jaxgen.parallel import example_keys, pass_key, pmean
from jaxgen.train_state import TrainState, apply, blank, create_parts
from jaxgen.typing import Key, Keys, Labels, Latents, Points, Scalar, Shape, Variables

Style: TypeAlias = Float[Array, "batch features"]
"""w: one vector for all layers."""

Styles: TypeAlias = Float[Array, "batch layers features"]
"""ws: one vector for each layer."""

Pairs: TypeAlias = tuple[Latents, Latents]
"""Two latents for each image: of its first layers, and of those from the crossover on where styles are mixed."""

Given: TypeAlias = tuple[Float[Array, "batch classes"], ...]
"""What a network is given besides its input: the one-hot classes, or nothing."""

AVERAGES = "averages"
"""The collection among the generator's variables of what is averaged over training: `w`."""

MAPPING, MIXING, OTHER = 7, 8, 10
"""Of the keys of a pass: streams besides those of `discrimination` and `regularization`."""


@dataclass(frozen=True)
class Drawing:
    """How a trained generator is drawn from; no state depends on these settings."""

    psi: float = 1.0  # share of a style's distance to the average that is kept: 1 for all, 0 for one image
    cutoff: int | None = None  # layers from the first on that are truncated; None for all
    noise: NonNegativeFloat = 1.0  # factor of the noise inputs: 0 switches them off
    random_noise: bool = False  # whether `sample` draws the noise of each image, or all have the same fixed noise

    def __post_init__(self):
        require_bounds(self)
        require(self.cutoff is None or self.cutoff >= 0, "cutoff", self.cutoff, "at least 0, or None")


def create_generator(config: Any, key: Key, *conditions: Shape) -> TrainState:
    """A fresh generator: both networks, one optimiser, and an average of w that is 0.

    Args:
        config: settings of the model.
        key: of the weights.
        conditions: shapes of what the mapping is given besides latents.
    """
    inputs = (blank(config.prior.shape), *map(blank, conditions), ())
    features = jax.eval_shape(lambda: config.mapping.init_with_output(key, *inputs)[0]).shape[1:]
    ws = blank((config.synthesis.num_styles(config.image_shape), *features))
    parts = {"mapping": (config.mapping, *inputs), "synthesis": (config.synthesis, ws, config.image_shape)}
    generator = create_parts(parts, config.generator_optimizer, key)
    return generator.replace(collections={**generator.collections, AVERAGES: {"w": jnp.zeros(features)}})


def to_styles(
    config: Any, variables: Variables, latents: Latents, given: Given = (), mode: Mode = EVALUATION
) -> tuple[Style, Variables]:
    """w of z, and the generator's variables: in training the average has moved to the mean w of the whole batch."""
    mapping = partial(apply, config.mapping, part="mapping", mode=mode.stream(MAPPING))
    w, variables = mapping(variables, latents, *given, ())
    if not mode.train:
        return w, variables
    mean = pmean(jax.lax.stop_gradient(w.mean(axis=0)), mode.axis_name)
    average = mean + config.style_decay * (variables[AVERAGES]["w"] - mean)
    return w, {**variables, AVERAGES: {**variables[AVERAGES], "w": average}}


def synthesize(config: Any, variables: Variables, ws: Styles, mode: Mode = EVALUATION) -> tuple[Points, Variables]:
    """The image of the styles of each layer, without bounds, and the generator's variables after the pass."""
    inputs = variables, ws, config.image_shape
    return apply(config.synthesis, *inputs, mode=mode.stream(GENERATOR), part="synthesis")


def broadcast(w: Style, num: int) -> Styles:
    """The same w for each of `num` layers."""
    return jnp.broadcast_to(w[:, None], (w.shape[0], num, w.shape[1]))


def mix(ws: Styles, others: Styles, crossover: Int[Array, "batch"] | int) -> Styles:
    """The first `crossover` layers of `ws` and the rest of `others`: one number, or one for each example."""
    first = jnp.arange(ws.shape[1])[None] < jnp.asarray(crossover).reshape(-1, 1)
    return jnp.where(first[:, :, None], ws, others)


def mixed(ws: Styles, others: Styles, probability: float, mode: Mode, layers: int | None = None) -> Styles:
    """Style mixing of training: with a probability an example is mixed at a layer drawn from {1, ..., L - 1}.

    Args:
        ws: styles of the first layers.
        others: styles of the layers from the crossover on.
        probability: of an example to be mixed; 0.9 in the papers.
        mode: of the pass, with a key for each example.
        layers: L, those of the network that are in use; all of them by default.
    """
    layers = ws.shape[1] if layers is None else layers
    if probability == 0 or layers < 2:
        return ws

    def draw(key: jax.Array) -> jax.Array:
        of_mixing, of_layer = jax.random.split(key)
        crossover = jax.random.randint(of_layer, (), 1, layers)
        return jnp.where(jax.random.bernoulli(of_mixing, probability), crossover, ws.shape[1])

    return mix(ws, others, jax.vmap(draw)(mode.stream(MIXING).example_keys("style mixing")))


def mixed_styles(
    config: Any, variables: Variables, latents: Pairs, num: int, given: Given = (), *, mode: Mode
) -> tuple[Styles, Variables]:
    """ws of `num` layers in training, mixed as `config.mixing` says, and the generator's variables after the pass."""
    w, variables = to_styles(config, variables, latents[0], given, mode)
    if config.mixing == 0:
        return broadcast(w, num), variables
    others, _ = to_styles(config, variables, latents[1], given, mode.stream(OTHER))
    return mixed(broadcast(w, num), broadcast(others, num), config.mixing, mode), variables


def truncate(ws: Styles, average: Float[Array, "features"], psi: Scalar | float, cutoff: int | None = None) -> Styles:
    """average + psi (w - average) in the first `cutoff` layers, all by default."""
    centre = average[None, None]
    moved = centre + psi * (ws - centre)
    return moved if cutoff is None else mix(moved, ws, cutoff)


def averaged(config: Any, ema: Variables, generator: TrainState) -> Variables:
    """The moving average after one more update: of the params; collections are the generator's own."""
    params = config.average.update(ema["params"], generator.params, generator.step)
    return {**generator.variables, "params": params}


def to_w(config: Any, state: Any, latents: Latents, condition: Labels | None = None) -> Style:
    """w of each latent, not truncated; without labels image i is of class i mod `num_classes`."""
    return to_styles(config, state.ema, latents, classes(config, condition, latents.shape[0]))[0]


def to_w_plus(config: Any, state: Any, latents: Latents, condition: Labels | None = None) -> Styles:
    """The styles of each layer as `config.drawing` truncates them: of what `from_latents` makes an image."""
    ws = broadcast(to_w(config, state, latents, condition), config.synthesis.num_styles(config.image_shape))
    return truncate(ws, state.ema[AVERAGES]["w"], config.drawing.psi, config.drawing.cutoff)


def from_w_plus(config: Any, state: Any, ws: Styles, mode: Mode = EVALUATION) -> Points:
    """The image of the styles of each layer, of the moving average, clipped to the value range.

    Its noise is fixed, or drawn for each image in a mode with keys.
    """
    strengths = scaled_strengths(state.ema["params"], config.drawing.noise)
    images, _ = synthesize(config, {**state.ema, "params": strengths}, ws, mode)
    return clip(images, config.value_range)


def from_latents(config: Any, state: Any, latents: Latents, condition: Labels | None = None) -> Points:
    """The image of each latent with fixed noise, as `config.drawing` says."""
    return from_w_plus(config, state, to_w_plus(config, state, latents, condition))


def sample(config: Any, state: Any, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images of the moving average, as `config.drawing` says; without labels of one class in turn."""
    mode = Mode(example_keys(pass_key(key), num)) if config.drawing.random_noise else EVALUATION
    ws = to_w_plus(config, state, config.prior.draw(key, num), condition)
    return from_w_plus(config, state, ws, mode)


def classes(config: Any, labels: Labels | None, num: int) -> Given:
    """The one-hot classes of labels, in turn without any; nothing for a model without classes."""
    if not config.num_classes:
        return ()
    return (one_hot(in_turn(labels, num, config.num_classes), config.num_classes),)
