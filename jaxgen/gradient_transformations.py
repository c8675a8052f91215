"""What the settings of `optimizers` do with gradients: their parts as optax transformations."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxgen.losses.spectral import orthogonal_penalty
from jaxgen.nets.magnitude_preserving import normalize
from jaxgen.optimizers import (
    SGD,
    Adagrad,
    Adam,
    Constant,
    Cosine,
    InverseRoot,
    InverseTime,
    LinearDecay,
    Optimizer,
    RAdam,
    RampedAdam,
    RMSProp,
    Rule,
    Schedule,
    StepDecay,
)


@functools.cache
def to_optax(settings: Optimizer) -> optax.GradientTransformation:
    """The optax transformation of `settings`; equal settings give the same object, so that states compare equal."""
    transformation = optax.chain(*_parts(settings))
    if settings.accumulate == 1:
        return transformation
    multi: Any = optax.MultiSteps(transformation, settings.accumulate).gradient_transformation()
    return multi


def _parts(settings: Optimizer) -> list[optax.GradientTransformation]:
    """The parts in their order. Those that are off are left out: a checkpoint's leaves lie by place."""
    parts = [_orthogonalize(settings.orthogonality)] if settings.orthogonality else []
    if settings.clip_norm is not None:
        parts.append(_clip(settings.clip_norm))
    parts.append(_rule(settings.rule))
    if settings.weight_decay:
        parts.append(optax.add_decayed_weights(settings.weight_decay))
    parts.append(optax.scale_by_learning_rate(_learning_rate(settings)))
    if settings.normalized:
        parts.append(_normalize())
    if _keeps_mean_square_alone(settings.rule):
        parts.append(optax.identity())  # optax.rmsprop has a place for momentum here: the state has its structure
    return parts


def _keeps_mean_square_alone(rule: Rule) -> bool:
    """RMSProp, or Adam where the mean of gradients is the gradient itself and is not stored."""
    return isinstance(rule, RMSProp) or (isinstance(rule, Adam | RampedAdam) and rule.b1 == rule.eps_root == 0)


def _rule(rule: Rule) -> optax.GradientTransformation:
    match rule:
        case Adam(b2=b2):
            return _adam(rule, b2)
        case RampedAdam():
            return _ramped(rule)
        case RAdam():
            return optax.scale_by_radam(rule.b1, rule.b2, rule.eps, rule.eps_root)
        case RMSProp():
            return optax.scale_by_rms(rule.decay, rule.eps, eps_in_sqrt=False)
        case Adagrad():
            return optax.scale_by_rss(rule.initial_accumulator, rule.eps)
        case SGD(momentum=0.0):
            return optax.identity()
        case SGD():
            return optax.trace(rule.momentum)


def _adam(rule: Adam | RampedAdam, b2: Any) -> optax.GradientTransformation:
    if _keeps_mean_square_alone(rule):
        return optax.scale_by_rms(b2, rule.eps, eps_in_sqrt=False, bias_correction=True)
    return optax.scale_by_adam(rule.b1, b2, rule.eps, rule.eps_root)


def _ramped(rule: RampedAdam) -> optax.GradientTransformation:
    """Adam with the beta_2 of each step; its state, which counts the steps, is that of Adam."""

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        return _adam(rule, rule.b2.at(state.count)).update(updates, state, params)

    return optax.GradientTransformation(_adam(rule, rule.b2.first).init, update)


def _orthogonalize(weight: float) -> optax.GradientTransformation:
    """Adds the gradient of `weight` times the penalty of each kernel but those of layers called "embedding"."""

    def penalty(params: Any) -> Any:
        kernels = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params) if _is_penalized(path, leaf)]
        return weight * sum((orthogonal_penalty(kernel) for kernel in kernels), jnp.zeros(()))

    def update(updates: Any, params: Any = None) -> Any:
        return jax.tree.map(lambda grad, own: grad + own.astype(grad.dtype), updates, jax.grad(penalty)(params))

    return optax.stateless(update)


def _is_penalized(path: Any, leaf: Any) -> bool:
    names = _names(path)
    return names[-1] == "kernel" and "embedding" not in names and leaf.ndim >= 2


def _normalize() -> optax.GradientTransformation:
    """A step to the kernels whose weights, of each output, have the mean square 1; as it is for all else."""

    def to_normalized(path: Any, step: Any, own: Any) -> Any:
        if _names(path)[-1:] != ["kernel"]:
            return step
        after = own.astype(jnp.float32) + step.astype(jnp.float32)
        return normalize(after, tuple(range(after.ndim - 1))).astype(own.dtype) - own

    def update(updates: Any, params: Any = None) -> Any:
        return jax.tree_util.tree_map_with_path(to_normalized, updates, params)

    return optax.stateless(update)


def _names(path: Any) -> list[str]:
    return [str(getattr(entry, "key", entry)) for entry in path]


def _clip(limit: float) -> optax.GradientTransformation:
    """`g min(1, limit / |g|)`, the length in float32; as optax's, but with a slope at a gradient of 0."""

    def update(grads: Any, params: Any = None) -> Any:
        square = sum(jnp.sum(jnp.square(leaf.astype(jnp.float32))) for leaf in jax.tree.leaves(grads))
        length = jnp.sqrt(jnp.maximum(square, jnp.finfo(jnp.float32).tiny))
        scale = limit / jnp.maximum(length, limit)
        return jax.tree.map(lambda leaf: leaf * scale.astype(leaf.dtype), grads)

    return optax.stateless(update)


def _learning_rate(settings: Optimizer) -> optax.ScalarOrSchedule:
    scheduled, warm_up = _scheduled(settings.learning_rate, settings.schedule), settings.warm_up
    if not warm_up:
        return scheduled

    def warmed(count: Any) -> Any:
        rate = scheduled(count) if callable(scheduled) else scheduled
        return rate * jnp.minimum(1.0, (count + 1) / (warm_up + 1))

    return warmed


def _scheduled(rate: float, schedule: Schedule) -> optax.ScalarOrSchedule:
    match schedule:
        case Constant():
            return rate
        case LinearDecay(end, begin):
            return optax.linear_schedule(rate, 0.0, end - begin, transition_begin=begin)
        case InverseTime(decay):
            return lambda count: rate / (1.0 + decay * count)
        case InverseRoot(reference):
            return lambda count: rate / jnp.sqrt(jnp.maximum(count / reference, 1.0))
        case Cosine(end, final):
            return optax.cosine_decay_schedule(rate, end, alpha=final)
        case StepDecay(every, factor):
            return optax.exponential_decay(rate, every, factor, staircase=True)
