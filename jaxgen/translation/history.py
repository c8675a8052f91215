"""A history of fakes: a discriminator is shown earlier ones beside the latest.

Shrivastava, Pfister, Tuzel, Susskind, Wang, Webb: Learning from Simulated and Unsupervised Images through Adversarial
Training, 2016, arXiv 1612.07828, section 2.3, as in the code of CycleGAN (arXiv 1703.10593): fifty images.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.mode import ExampleKeys
from jaxgen.parallel import replicate_batch, share
from jaxgen.typing import AxisName, Images, Shape


class History(NamedTuple):
    """The images kept so far; on every device the same."""

    images: Float[Array, "capacity height width channels"]
    count: Int[Array, ""]  # of the places that hold an image


def empty(capacity: int, image_shape: Shape) -> History:
    """A history that holds nothing yet; one without places gives back what it is given."""
    require(capacity >= 0, "capacity", capacity, "at least 0")
    return History(jnp.zeros((capacity, *image_shape), jnp.float32), jnp.zeros((), jnp.int32))


def exchange(history: History, images: Images, keys: ExampleKeys, axis_name: AxisName = None) -> tuple[Images, History]:
    """For each image itself or an earlier one, and the history afterwards. No gradient flows through either.

    Image after image of the whole batch: while there is room an image is kept and given back. Then with probability
    1/2 it takes the place of a kept one, which is given back; else it is given back itself.

    Args:
        history: what was kept.
        images: of this device.
        keys: one for each of them.
        axis_name: of the devices that share the batch, or None.
    """
    capacity = history.images.shape[0]
    images = jax.lax.stop_gradient(images)
    if capacity == 0:
        return images, history

    def draw(key: jax.Array) -> tuple[Array, Array]:
        of_choice, of_place = jax.random.split(key)
        old = jax.random.bernoulli(of_choice).astype(jnp.int32)
        return old, jax.random.randint(of_place, (), 0, capacity)

    whole = jax.tree.map(lambda leaf: replicate_batch(leaf, axis_name), (images, *jax.vmap(draw)(keys)))
    history, shown = jax.lax.scan(_exchange_one, history, whole)
    return share(shown, axis_name), history


def _exchange_one(
    history: History, drawn: tuple[Float[Array, "height width channels"], Int[Array, ""], Int[Array, ""]]
) -> tuple[History, Array]:
    image, old, place = drawn
    capacity = history.images.shape[0]
    room = history.count < capacity
    place = jnp.where(room, history.count, place)
    kept = history.images[place]
    takes = old > 0
    shown = jnp.where(~room & takes, kept, image)
    images = history.images.at[place].set(jnp.where(room | takes, image, kept))
    return History(images, jnp.minimum(history.count + 1, capacity)), shown
