"""Maps of a frozen network, by which images are compared: what a perceptual loss and one of style share.

A config names the network alike: `features`, called as `net(images, (), mode=mode)` with images in [-1, 1], gives one
array of maps or several.
"""

from typing import Any

import jax

from jaxgen.images import centred
from jaxgen.train_state import apply
from jaxgen.typing import Images, Variables


def feature_maps(config: Any, features: Variables, images: Images) -> list[jax.Array]:
    """The maps of images in the config's value range; of data without bounds, as they are."""
    return jax.tree.leaves(apply(config.features, features, centred(images, config.value_range), ())[0])
