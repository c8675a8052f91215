"""Optimiser settings that are values: they compare, hash, print and go to JSON; `to_optax` builds them once each.

With `accumulate=K` the gradients of K updates are averaged before each step, for batches K times as large as fit into
memory: for losses that are means over the batch, and networks without batch statistics, the step is that of the whole
batch. The learning rate's schedule counts steps; a moving average of weights counts updates, as they come.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import optax

from jaxgen.checks import require


@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is."""


@dataclass(frozen=True)
class LinearDecay:
    """The learning rate falls on a line to 0, from update `begin` to update `end`."""

    end: int  # update at which the rate reaches 0
    begin: int = 0  # update up to which the rate is constant

    def __post_init__(self):
        require(0 <= self.begin < self.end, "begin", self.begin, f"in [0, end={self.end})")


@dataclass(frozen=True)
class InverseTime:
    """The learning rate at update t is divided by `1 + decay t` (Keras's `decay`)."""

    decay: float

    def __post_init__(self):
        require(self.decay >= 0, "decay", self.decay, "at least 0")


Schedule: TypeAlias = Constant | LinearDecay | InverseTime


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, arXiv 1412.6980."""

    learning_rate: float = 1e-3  # alpha
    b1: float = 0.9  # beta_1, decay of the mean of gradients
    b2: float = 0.999  # beta_2, decay of the mean of squared gradients
    eps: float = 1e-8  # added to the root of the mean square
    eps_root: float = 0.0  # added to the mean square, inside the root; above 0 to differentiate through a step
    schedule: Schedule = Constant()  # of the learning rate, in optimiser steps
    accumulate: int = 1  # updates whose mean gradient makes one step

    def __post_init__(self):
        require(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        _require_accumulate(self.accumulate)
        require(0 <= self.b1 < 1, "b1", self.b1, "in [0, 1)")
        require(0 <= self.b2 < 1, "b2", self.b2, "in [0, 1)")
        require(self.eps > 0, "eps", self.eps, "above 0")
        require(self.eps_root >= 0, "eps_root", self.eps_root, "at least 0")


@dataclass(frozen=True)
class RMSProp:
    """Hinton 2012; `decay` 0.99 and `eps` outside the root are PyTorch's convention."""

    learning_rate: float = 5e-5  # alpha
    decay: float = 0.99  # of the mean of squared gradients
    eps: float = 1e-8  # added to the root of the mean square
    schedule: Schedule = Constant()  # of the learning rate, in optimiser steps
    accumulate: int = 1  # updates whose mean gradient makes one step

    def __post_init__(self):
        require(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        _require_accumulate(self.accumulate)
        require(0 <= self.decay < 1, "decay", self.decay, "in [0, 1)")
        require(self.eps > 0, "eps", self.eps, "above 0")


@dataclass(frozen=True)
class SGD:
    """Gradient descent with heavy-ball momentum."""

    learning_rate: float = 1e-2  # alpha
    momentum: float = 0.0
    schedule: Schedule = Constant()  # of the learning rate, in optimiser steps
    accumulate: int = 1  # updates whose mean gradient makes one step

    def __post_init__(self):
        require(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        _require_accumulate(self.accumulate)
        require(0 <= self.momentum < 1, "momentum", self.momentum, "in [0, 1)")


@dataclass(frozen=True)
class Adagrad:
    """Duchi, Hazan, Singer 2011, JMLR 12: each step is divided by the root of all squared gradients so far."""

    learning_rate: float = 1e-2  # eta
    initial_accumulator: float = 0.0  # of the squared gradients
    eps: float = 1e-10  # added to the sum of squares, inside the root
    schedule: Schedule = Constant()  # of the learning rate, in optimiser steps
    accumulate: int = 1  # updates whose mean gradient makes one step

    def __post_init__(self):
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        _require_accumulate(self.accumulate)
        require(self.initial_accumulator >= 0, "initial_accumulator", self.initial_accumulator, "at least 0")
        require(self.eps > 0, "eps", self.eps, "above 0")


def _require_accumulate(num: int) -> None:
    require(num >= 1, "accumulate", num, "at least 1")


Optimizer: TypeAlias = Adam | RMSProp | SGD | Adagrad


@functools.cache
def to_optax(settings: Optimizer) -> optax.GradientTransformation:
    """The optax transformation of `settings`; equal settings give the same object, so that states compare equal."""
    transformation = _every_step(settings)
    if settings.accumulate == 1:
        return transformation
    multi: Any = optax.MultiSteps(transformation, settings.accumulate).gradient_transformation()
    return multi


def _every_step(settings: Optimizer) -> optax.GradientTransformation:
    rate = _learning_rate(settings.learning_rate, settings.schedule)
    match settings:
        case Adam(b1=0.0, eps_root=0.0):  # the mean of gradients is the gradient itself: it is not stored
            return optax.rmsprop(rate, decay=settings.b2, eps=settings.eps, eps_in_sqrt=False, bias_correction=True)
        case Adam():
            return optax.adam(rate, b1=settings.b1, b2=settings.b2, eps=settings.eps, eps_root=settings.eps_root)
        case RMSProp():
            return optax.rmsprop(rate, decay=settings.decay, eps=settings.eps, eps_in_sqrt=False)
        case Adagrad():
            return optax.adagrad(rate, initial_accumulator_value=settings.initial_accumulator, eps=settings.eps)
        case SGD():
            return optax.sgd(rate, momentum=settings.momentum or None)


def _learning_rate(rate: float, schedule: Schedule) -> optax.ScalarOrSchedule:
    match schedule:
        case Constant():
            return rate
        case LinearDecay(end, begin):
            return optax.linear_schedule(rate, 0.0, end - begin, transition_begin=begin)
        case InverseTime(decay):
            return lambda count: rate / (1.0 + decay * count)
