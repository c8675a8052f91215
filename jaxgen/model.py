"""What every model module offers; the contract suite in `tests/contract.py` holds each of them to it.

A model is a module. Inside, in this order: docstring naming the paper, `Config`, `State`, `init`, the networks by their
field names (`generate`, `score`, `encode`, ...), the losses, `update`, `sample`.
"""

from typing import Any, Protocol, runtime_checkable

from jaxgen.images import ValueRange
from jaxgen.typing import Batch, Evidence, Images, Key, Latents, Metrics, PerExample, Points, Shape


class ModelConfig(Protocol):
    """Settings of a model: a frozen dataclass, hashable and static; the defaults are the paper's."""

    @property
    def image_shape(self) -> Shape:
        """Height, width and channels; the networks are told it, so they cannot disagree with it."""
        ...

    @property
    def value_range(self) -> ValueRange:
        """Lowest and highest value of an image."""
        ...

    @property
    def minibatches(self) -> int:
        """How many minibatches of the paper's size m one `update` takes (n_critic for a Wasserstein critic)."""
        ...

    @property
    def batch_type(self) -> type[tuple] | None:
        """What a batch holds: None for an array of images alone, else one of `typing.Labelled`, `Paired`, ..."""
        ...


class Model(Protocol):
    """A module of pure functions."""

    def init(self, config: Any, key: Key) -> Any:
        """The state before the first update."""
        ...

    def update(
        self, config: Any, state: Any, batch: Batch, key: Key, *, axis_name: str | None = None
    ) -> tuple[Any, Metrics]:
        """One iteration of the paper's algorithm. Pure and not compiled: see `jaxgen.parallel`."""
        ...

    def sample(self, config: Any, state: Any, key: Key, num: int) -> Images:
        """`num` images in the model's value range; the same key gives the same latents at every step.

        A conditional model takes `labels` as a further argument; without them, image i is of class i mod num_classes.
        """
        ...


@runtime_checkable
class LatentModel(Model, Protocol):
    """A model whose images are functions of a latent vector: what interpolation, traversal and arithmetic need.

    A conditional model takes `labels` as a further argument of `from_latents` (and of `to_latents`).
    """

    def draw_latents(self, config: Any, key: Key, num: int) -> Latents:
        """`num` latents from the prior."""
        ...

    def from_latents(self, config: Any, state: Any, latents: Latents) -> Images:
        """The image of each latent vector, without noise: the likelihood's mean, or the generator's image."""
        ...


@runtime_checkable
class Adversary(Model, Protocol):
    """A model with a discriminator or critic that scores one example at a time."""

    def judge(self, config: Any, state: Any, points: Points) -> PerExample:
        """The score of each example, in the model's range, as the discriminator gives it out of training."""
        ...


@runtime_checkable
class CodeNamer(LatentModel, Protocol):
    """A model that tells which codes an image was made of: `config.codes` says which there are."""

    def infer(self, config: Any, state: Any, images: Images) -> Any:
        """Q(c|x), a `jaxgen.gans.codes.Belief`: logits of each categorical code first."""
        ...


@runtime_checkable
class Autoencoder(LatentModel, Protocol):
    """A model that also finds the latent vector of an image."""

    def to_latents(self, config: Any, state: Any, images: Images) -> Latents:
        """The latent vector of each image, without noise: the mean of the posterior, where there is one."""
        ...


@runtime_checkable
class Reconstructor(Model, Protocol):
    """A model that sends an image through a code which is no vector: a grid of symbols, several scales."""

    def reconstruct(self, config: Any, state: Any, images: Images) -> Images:
        """What is decoded from the code of each image, without noise."""
        ...


@runtime_checkable
class LikelihoodModel(Autoencoder, Protocol):
    """A model that bounds log p(x), or log p(x|y): what `python -m experiments.likelihood` needs."""

    def evidence(self, config: Any, state: Any, batch: Batch, key: Key, num_samples: int, chunk: int) -> Evidence:
        """Bounds for each image, from `num_samples` latents of which `chunk` are in memory at a time."""
        ...

    def posterior_means(self, config: Any, state: Any, batch: Batch) -> Latents:
        """E[z|x] of each image, as `evidence` has it."""
        ...
