"""What a model may offer besides learning and sampling, protocol by protocol.

A module has an ability if it offers the functions of the protocol of that name, with the same arguments in the same
order: the suite compares the signatures. What needs an ability, a command for one, asks the module itself with
`isinstance`; no list of models is kept.
"""

from typing import Any, Protocol, runtime_checkable

from jaxgen.model import Learner, Model
from jaxgen.typing import (
    Batch,
    Bound,
    Captions,
    Embeddings,
    Evidence,
    Images,
    Key,
    Keys,
    Latents,
    PerExample,
    Points,
    States,
)


@runtime_checkable
class LatentModel(Model, Protocol):
    """A model whose images are functions of a latent: what interpolation, traversal and arithmetic need.

    `config.prior` is the prior of the latents, a `jaxgen.priors.PriorLike`.
    """

    def from_latents(self, config: Any, state: Any, latents: Latents, condition: Any = None) -> Images:
        """The image of each latent, without noise: the likelihood's mean, or the generator's image."""
        ...


@runtime_checkable
class StyledModel(LatentModel, Protocol):
    """A model whose images are functions of styles w of the latent, one for each layer: `jaxgen.gans.styles`."""

    def to_w_plus(self, config: Any, state: Any, latents: Latents, condition: Any = None) -> Any:
        """The styles of each layer, (batch, layers, features), truncated as `config.drawing` says."""
        ...

    def from_w_plus(self, config: Any, state: Any, ws: Any, mode: Any = ...) -> Images:
        """The image of the styles of each layer, with fixed noise, or with noise drawn in a `Mode` with keys."""
        ...


@runtime_checkable
class TextModel(LatentModel, Protocol):
    """A model whose images are functions of a latent and of the embedding of a text."""

    def embed_captions(self, config: Any, state: Any, captions: Captions) -> Embeddings:
        """The vector of each caption, (batch, length) uint8: (batch, features)."""
        ...

    def from_embeddings(self, config: Any, state: Any, latents: Latents, embeddings: Embeddings) -> Images:
        """The image of each latent and vector, without noise."""
        ...


@runtime_checkable
class Adversary(Model, Protocol):
    """A model with a discriminator or critic that scores one example at a time."""

    def discriminate(self, config: Any, state: Any, points: Points, condition: Any = None) -> PerExample:
        """The score of each example, in the model's range, as the discriminator gives it out of training."""
        ...


@runtime_checkable
class CodePredictor(LatentModel, Protocol):
    """A model that predicts the codes that an image was made of: `config.codes` says which there are."""

    def predict_codes(self, config: Any, state: Any, images: Images) -> Any:
        """Q(c|x), a `jaxgen.gans.codes.Predicted`: logits of each categorical code first."""
        ...


@runtime_checkable
class Autoencoder(LatentModel, Protocol):
    """A model that also finds the latent of an image."""

    def to_latents(self, config: Any, state: Any, images: Images, condition: Any = None) -> Latents:
        """The latent of each image, without noise: the mean of the posterior, where there is one."""
        ...


@runtime_checkable
class PosteriorModel(Autoencoder, Protocol):
    """A model with a posterior q(z|x) of the latents of an image: what `latents RUN reconstruct --draws` needs."""

    def draw_posterior(self, config: Any, state: Any, key: Keys, images: Images, condition: Any = None) -> Latents:
        """One draw of q(z|x) for each image, in the latents of `from_latents`."""
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

    def evidence(self, config: Any, state: Any, batch: Batch, key: Key, samples: tuple[int, int]) -> Evidence:
        """Bounds for each image; `samples`: latents of an image, and how many of them are in memory at a time."""
        ...

    def posterior_means(self, config: Any, state: Any, batch: Batch) -> Latents:
        """E[z|x] of each image, as `evidence` has it."""
        ...


@runtime_checkable
class DenoisingBound(Model, Protocol):
    """A denoiser that bounds log p(x): `python -m experiments.likelihood`."""

    def bound(self, config: Any, state: Any, batch: Batch, key: Keys, shares: PerExample) -> Bound:
        """One draw of the bound's parts for each image, at a time that lies at its share in [0, 1) of all."""
        ...


@runtime_checkable
class DensityModel(Model, Protocol):
    """A model that computes log p(x): `python -m experiments.likelihood`."""

    def log_density(self, config: Any, state: Any, batch: Batch, key: Keys, integral: Any) -> PerExample:
        """In nats, of each example; images are drawn from the parts of their levels."""
        ...


@runtime_checkable
class TrajectoryModel(Model, Protocol):
    """A model that makes its images of noise in steps: what `python -m experiments.sample RUN --trajectory` needs."""

    def trajectory(self, config: Any, state: Any, key: Keys, num: int, condition: Any = None) -> States:
        """(states, num, ...): from the noise to the images that `sample` draws with the same key.

        The last state, clipped to the value range, is the sample.
        """
        ...


@runtime_checkable
class DiffusionEditor(Model, Protocol):
    """A model that changes images on its way from noise: `latents RUN repaint` and `sdedit`."""

    def edit(self, config: Any, state: Any, key: Keys, guide: Any, how: Any, condition: Any = None) -> Images:
        """Images that keep what a `jaxgen.diffusion.editing.Guide` says, made as `RePaint` or `SDEdit` have it."""
        ...


@runtime_checkable
class Inpainter(Model, Protocol):
    """A model that fills holes in images: its condition is images, of which it sees what is outside of the holes."""

    def holes(self, config: Any, key: Keys, images: Images) -> Images:
        """The masks with which `sample` with this key sees the images: 0 in a hole, (batch, height, width, 1)."""
        ...


@runtime_checkable
class TwoDomainModel(Model, Protocol):
    """A model that translates images of two domains into each other; `sample` is `to_b`."""

    def to_a(self, config: Any, state: Any, keys: Keys, images: Images) -> Images:
        """Images of domain b in domain a, in the value range; `keys` as `sample` takes them."""
        ...

    def to_b(self, config: Any, state: Any, keys: Keys, images: Images) -> Images:
        """Images of domain a in domain b, in the value range; `keys` as `sample` takes them."""
        ...


@runtime_checkable
class CoupledModel(LatentModel, Protocol):
    """A model that makes of a latent an image of each of two domains, which belong together."""

    def pairs_from_latents(self, config: Any, state: Any, latents: Latents) -> Any:
        """The images of each latent, a `jaxgen.batches.Coupled`, without noise; `from_latents` gives those of `a`."""
        ...


@runtime_checkable
class Classifier(Model, Protocol):
    """A model that also names the classes of images."""

    def classify(self, config: Any, state: Any, images: Images) -> Points:
        """Logits of the classes, (batch, classes), of images in the value range."""
        ...


@runtime_checkable
class MultiLabelClassifier(Learner, Protocol):
    """A model that tells which of several labels an image has."""

    def label_logits(self, config: Any, state: Any, images: Images) -> Points:
        """The logit of each label, (batch, labels), of images in the value range."""
        ...


@runtime_checkable
class Matcher(Learner, Protocol):
    """A model that finds captions for images, and images for captions, by the inner products of their vectors."""

    def embed_images(self, config: Any, state: Any, images: Images) -> Embeddings:
        """The vector of each image, which is in the value range: (batch, features)."""
        ...

    def embed_captions(self, config: Any, state: Any, captions: Captions) -> Embeddings:
        """The vector of each caption, (batch, length) uint8: (batch, features)."""
        ...


ABILITIES = (
    *(LatentModel, StyledModel, Adversary, CodePredictor, Autoencoder, Reconstructor, LikelihoodModel, TrajectoryModel),
    *(
        DenoisingBound,
        DensityModel,
        TwoDomainModel,
        CoupledModel,
        DiffusionEditor,
        Inpainter,
        Classifier,
        MultiLabelClassifier,
        Matcher,
        TextModel,
    ),
)
"""What a model may offer besides learning and sampling; one that does not sample has one of them."""
