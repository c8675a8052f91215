"""What every model module offers; the contract suite (`jaxgen.testing`) holds each of them to it.

A model is a module. Inside, in this order: docstring naming the paper, `Config`, `State`, `init`, the networks by their
field names (`generate`, `encode`, ...), the losses, `update`, `sample`. What else a module may offer stands in
`jaxgen.abilities`. One that makes no images, such as a pair of encoders, is a `Learner` and has no `sample`: it has
another ability.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from jaxgen.batches import BatchType, Labelled
from jaxgen.checks import PositiveInt, require_bounds
from jaxgen.images import ValueRange, require_range
from jaxgen.stages import Stage
from jaxgen.typing import AxisName, Batch, Images, Key, Keys, Metrics, Shape


class ModelConfig(Protocol):
    """Settings of a model: a frozen dataclass, hashable and static; the defaults are the paper's."""

    @property
    def image_shape(self) -> Shape:
        """Height, width and channels; the networks are given it, so they cannot disagree with it."""
        ...

    @property
    def value_range(self) -> ValueRange:
        """Lowest and highest value of an image."""
        ...

    batch_type: ClassVar[Any]
    """What a batch holds: None for an array of images alone, else a class of `jaxgen.batches`."""

    minibatches: ClassVar[Any]
    """How many minibatches of the paper's size m one `update` takes (n_critic for a Wasserstein critic): an int."""

    def stage(self, step: int) -> Stage:
        """The stage that holds the update after `step` others, if settings change within a run: `jaxgen.stages`."""
        ...


@dataclass(frozen=True)
class Defaults:
    """What most models' settings say: grey images in [0, 1] alone, one minibatch for an update.

    A Config says otherwise itself. A number outside of the bounds of its field's type is refused: `jaxgen.checks`.
    """

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape that the networks take
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds

    batch_type: ClassVar[BatchType] = None
    minibatches: ClassVar[Any] = 1  # or a property of other settings

    def __post_init__(self):
        require_range(self.value_range)
        require_bounds(self)

    def stage(self, step: int) -> Stage:
        """The stage that holds the update after `step` others: one for the whole run."""
        return Stage(self)


@dataclass(frozen=True)
class LabelledDefaults(Defaults):
    """What most models of classes say: batches are images and their labels."""

    num_classes: PositiveInt = 10  # of the labels

    batch_type: ClassVar[BatchType] = Labelled


@runtime_checkable
class Learner(Protocol):
    """A module of pure functions that learns."""

    def init(self, config: Any, key: Key) -> Any:
        """The state before the first update."""
        ...

    def update(
        self, config: Any, state: Any, batch: Batch, key: Key, *, axis_name: AxisName = None
    ) -> tuple[Any, Metrics]:
        """One iteration of the paper's algorithm. Pure and not compiled: see `jaxgen.parallel`."""
        ...


@runtime_checkable
class Model(Learner, Protocol):
    """A module that learns and makes images."""

    def sample(self, config: Any, state: Any, key: Keys, num: int, condition: Any = None) -> Images:
        """`num` images in the model's value range; the same key gives the same latents at every step.

        `key` is one key, from which `parallel.example_keys` makes that of each image, or these keys themselves: then
        the image of a key is the same whichever others are drawn beside it.
        `condition` is a pytree with one row for each image: what the batch type calls the condition (labels, inputs,
        captions). A model of classes goes without one: image i is then of class i mod num_classes.
        """
        ...
