"""Which updates are timed beside PyTorch's: a table of cases, each our settings and the same in PyTorch."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from experiments import experiment
from experiments.benchmarks.clock import Variant
from experiments.benchmarks.rivals import Rival, vae, wgan_gp
from experiments.experiment import model_of
from jaxgen import parallel
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.nets.mlp import MLP


@dataclass(frozen=True)
class Case:
    """One update, ours and theirs."""

    config: Any  # our model's settings
    rival: Callable[..., Rival]  # (config, batch_size, *, compiled) -> the same in PyTorch
    batch_size: int  # m


def cases() -> dict[str, Case]:
    """By name, small before large."""
    digits = experiment.load("wgan_gp_digits").model
    mnist = dataclasses.replace(
        digits,
        image_shape=(28, 28, 1),
        latent_dim=100,
        generator=MLP((128, 256, 512, 1024)),
        critic=MLP((512, 256), negative_slope=0.2),
    )
    on_binary_images = dataclasses.replace(experiment.load("vae_mnist").model, likelihood=Bernoulli("never"))
    return {
        "wgan_gp_digits": Case(digits, wgan_gp.with_mlps, 64),
        "wgan_gp_28": Case(mnist, wgan_gp.with_mlps, 64),
        "vae_mnist": Case(on_binary_images, vae.with_mlps, 128),
    }


def ours(case: Case, steps: int | None, devices: int = 1) -> Variant:
    """Our update as the runner compiles it: `steps` in one dispatch, or one with None; random images."""
    model, size = model_of(case.config), case.batch_size * case.config.minibatches
    leading = (size,) if steps is None else (steps, size)
    batch = np.random.default_rng(0).integers(0, 256, (*leading, *case.config.image_shape), np.uint8)
    step = parallel.jit(model.update, case.config, steps=steps, devices=jax.devices()[:devices])
    keys = jax.random.key(0) if steps is None else jax.random.split(jax.random.key(0), steps)
    state = [jax.jit(functools.partial(model.init, case.config))(jax.random.key(1))]

    def run() -> None:
        state[0], _ = step(state[0], batch, keys)
        jax.block_until_ready(state[0])

    return Variant(run, steps or 1)


def parameters(config: Any) -> int:
    """Numbers that our optimisers train."""
    from jaxgen.train_state import TrainState

    state = jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    players = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, TrainState))
    return sum(
        leaf.size for player in players if isinstance(player, TrainState) for leaf in jax.tree.leaves(player.params)
    )


def arithmetic(case: Case) -> int:
    """FLOPs of our update's matrix products and convolutions."""
    from experiments.benchmarks.arithmetic import flops

    return flops(functools.partial(model_of(case.config).update, case.config), *_abstract(case))


def device_bytes(case: Case, devices: int = 1) -> int:
    """What one device holds in an update: state, batch and temporaries, by the compiler's own account."""
    mesh = Mesh(np.array(jax.devices()[:devices]), (parallel.AXIS,))
    whole, cut = (NamedSharding(mesh, PartitionSpec(*names)) for names in ((), (parallel.AXIS,)))
    update = functools.partial(model_of(case.config).update, case.config)
    compiled = jax.jit(update, in_shardings=(whole, cut, whole), donate_argnums=0).lower(*_abstract(case)).compile()
    memory: Any = compiled.memory_analysis()
    return memory.argument_size_in_bytes + memory.temp_size_in_bytes


def _abstract(case: Case) -> tuple[Any, Any, Any]:
    """Shapes of state, batch and key."""
    size = case.batch_size * case.config.minibatches
    state = jax.eval_shape(lambda: model_of(case.config).init(case.config, jax.random.key(0)))
    batch = jax.ShapeDtypeStruct((size, *case.config.image_shape), np.uint8)
    return state, batch, jax.eval_shape(lambda: jax.random.key(0))
