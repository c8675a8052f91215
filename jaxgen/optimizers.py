"""Optimiser settings that are values: they compare, hash, print and go to JSON.

An optimiser is composed of parts. With g the gradient, averaged over `accumulate` updates, and w the weights, step t is

    g <- g + beta grad |W^T W * (1 - I)|^2, of each kernel W   orthogonal regularisation: arXiv 1809.11096
    g <- g min(1, clip_norm / |g|)                            clipping by the global norm
    d  = rule(g)                                              Adam, RampedAdam, RAdam, RMSProp, SGD, Adagrad
    r  = learning_rate schedule(t) min(1, (t + 1) / (warm_up + 1))
    w <- w - r (d + weight_decay w)                           decoupled weight decay: arXiv 1711.05101
    W <- W / rms(W), of each output of each kernel            forced weight normalisation: arXiv 2312.02696

A part that is off leaves no trace: the state of the optimiser then holds nothing for it.

With `accumulate=K` the gradients of K updates are averaged before each step, for batches K times as large as fit into
memory: for losses that are means over the batch, and networks without batch statistics, the step is that of the whole
batch. Schedule and warm-up count steps; a moving average of weights counts updates, as they come.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

from jaxgen.checks import require
from jaxgen.ramps import CosineRamp


@dataclass(frozen=True)
class Constant:
    """The learning rate does not change."""


@dataclass(frozen=True)
class LinearDecay:
    """The learning rate falls on a line to 0, from step `begin` to step `end`."""

    end: int  # step at which the rate reaches 0
    begin: int = 0  # step up to which the rate is constant

    def __post_init__(self):
        require(0 <= self.begin < self.end, "begin", self.begin, f"in [0, end={self.end})")


@dataclass(frozen=True)
class InverseTime:
    """The learning rate at step t is divided by `1 + decay t` (Keras's `decay`)."""

    decay: float

    def __post_init__(self):
        require(self.decay >= 0, "decay", self.decay, "at least 0")


@dataclass(frozen=True)
class InverseRoot:
    """The learning rate at step t is divided by `sqrt(max(t / reference, 1))`: constant first, then ever smaller.

    Karras et al., 2023 (EDM2, arXiv 2312.02696, section 2.4), beside a `warm_up` of 10 million images; the reference is
    70,000 steps of 2,048 for ImageNet-512, 35,000 for ImageNet-64.
    """

    reference: int  # step up to which the rate is constant

    def __post_init__(self):
        require(self.reference >= 1, "reference", self.reference, "at least 1")


@dataclass(frozen=True)
class Cosine:
    """The learning rate falls on half a cosine to `final` of itself at step `end`, then stays there.

    Loshchilov & Hutter 2017, arXiv 1608.03983, equation 5, without restarts.
    """

    end: int  # step at which the rate reaches its last value
    final: float = 0.0  # last value, as a share of the learning rate

    def __post_init__(self):
        require(self.end >= 1, "end", self.end, "at least 1")
        require(0 <= self.final <= 1, "final", self.final, "in [0, 1]")


@dataclass(frozen=True)
class StepDecay:
    """The learning rate is multiplied by `factor` at each `every`-th step."""

    every: int  # steps from one change to the next
    factor: float = 0.5

    def __post_init__(self):
        require(self.every >= 1, "every", self.every, "at least 1")
        require(0 < self.factor <= 1, "factor", self.factor, "in (0, 1]")


Schedule: TypeAlias = Constant | LinearDecay | InverseTime | InverseRoot | Cosine | StepDecay


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, arXiv 1412.6980. With `weight_decay` in the optimiser it is AdamW."""

    b1: float = 0.9  # beta_1, decay of the mean of gradients
    b2: float = 0.999  # beta_2, decay of the mean of squared gradients
    eps: float = 1e-8  # added to the root of the mean square
    eps_root: float = 0.0  # added to the mean square, inside the root; above 0 to differentiate through a step

    def __post_init__(self):
        _require_moments(self)


@dataclass(frozen=True)
class RampedAdam:
    """Adam whose beta_2 changes with the step, counted from 0; the start is corrected by its latest value, 1 - b2^t.

    Huang et al., 2024 (R3GAN, arXiv 2501.05441); the default is theirs for CIFAR-10, in updates of 512 images.
    """

    b1: float = 0.0  # beta_1, decay of the mean of gradients
    b2: CosineRamp = CosineRamp(0.9, 0.99, 39_062)  # beta_2, decay of the mean of squared gradients
    eps: float = 1e-8  # added to the root of the mean square
    eps_root: float = 0.0  # added to the mean square, inside the root; above 0 to differentiate through a step

    def __post_init__(self):
        for b2 in (self.b2.first, self.b2.last):
            _require_moments(Adam(self.b1, b2, self.eps, self.eps_root))


@dataclass(frozen=True)
class RAdam:
    """Liu et al. 2020, arXiv 1908.03265: Adam, plain momentum while the mean square is known from few gradients."""

    b1: float = 0.9  # beta_1, decay of the mean of gradients
    b2: float = 0.999  # beta_2, decay of the mean of squared gradients
    eps: float = 1e-8  # added to the root of the mean square
    eps_root: float = 0.0  # added to the mean square, inside the root; above 0 to differentiate through a step

    def __post_init__(self):
        _require_moments(self)


@dataclass(frozen=True)
class RMSProp:
    """Hinton 2012; `decay` 0.99 and `eps` outside the root are PyTorch's convention."""

    decay: float = 0.99  # of the mean of squared gradients
    eps: float = 1e-8  # added to the root of the mean square

    def __post_init__(self):
        _require_share("decay", self.decay)
        require(self.eps > 0, "eps", self.eps, "above 0")


@dataclass(frozen=True)
class SGD:
    """Gradient descent with heavy-ball momentum."""

    momentum: float = 0.0

    def __post_init__(self):
        _require_share("momentum", self.momentum)


@dataclass(frozen=True)
class Adagrad:
    """Duchi, Hazan, Singer 2011, JMLR 12: each step is divided by the root of all squared gradients so far."""

    initial_accumulator: float = 0.0  # of the squared gradients
    eps: float = 1e-10  # added to the sum of squares, inside the root

    def __post_init__(self):
        require(self.initial_accumulator >= 0, "initial_accumulator", self.initial_accumulator, "at least 0")
        require(self.eps > 0, "eps", self.eps, "above 0")


Rule: TypeAlias = Adam | RampedAdam | RAdam | RMSProp | SGD | Adagrad


@dataclass(frozen=True)
class Optimizer:
    """A rule and the parts around it, as the module's equations have them."""

    learning_rate: float  # alpha
    rule: Rule  # what makes a step of a gradient
    schedule: Schedule = Constant()  # of the learning rate, in optimiser steps
    warm_up: int = 0  # steps over which the learning rate rises on a line, before it is whole
    clip_norm: float | None = None  # largest length of the whole gradient; None: it is not clipped
    weight_decay: float = 0.0  # share of the weights that a step takes off, times the learning rate
    accumulate: int = 1  # updates whose mean gradient makes one step
    orthogonality: float = 0.0  # beta, weight of orthogonal regularisation; 1e-4 for BigGAN's generator
    normalized: bool = False  # kernels have the mean square 1 after each step: for `nets.magnitude_preserving` alone

    def __post_init__(self):
        require(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        require(self.warm_up >= 0, "warm_up", self.warm_up, "at least 0")
        limit = self.clip_norm
        require(limit is None or 0 < limit < math.inf, "clip_norm", limit, "above 0 and finite, or None")
        require(0 <= self.weight_decay < math.inf, "weight_decay", self.weight_decay, "at least 0 and finite")
        require(self.accumulate >= 1, "accumulate", self.accumulate, "at least 1")
        require(0 <= self.orthogonality < math.inf, "orthogonality", self.orthogonality, "at least 0 and finite")


def _require_moments(rule: Adam | RAdam) -> None:
    _require_share("b1", rule.b1)
    _require_share("b2", rule.b2)
    require(rule.eps > 0, "eps", rule.eps, "above 0")
    require(rule.eps_root >= 0, "eps_root", rule.eps_root, "at least 0")


def _require_share(name: str, value: float) -> None:
    require(0 <= value < 1, name, value, "in [0, 1)")
