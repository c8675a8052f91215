"""Which updates are timed beside PyTorch's: a table of cases, each our settings and the same in PyTorch."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from experiments.benchmarks import sizes
from experiments.benchmarks.clock import Variant
from experiments.benchmarks.rivals import Rival, ddpm, vae, wgan_gp
from experiments.benchmarks.rivals import gan as gan_rivals
from experiments.runs import experiment
from experiments.runs.experiment import model_of
from jaxgen import parallel
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.diffusion import ddpm as ddpm_model
from jaxgen.gans import gan
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.mlp import MLP
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal


@dataclass(frozen=True)
class Case:
    """One update, ours and theirs."""

    config: Any  # our model's settings
    rival: Callable[..., Rival]  # (config, batch_size, *, compiled) -> the same in PyTorch
    batch_size: int  # m
    scanned: int = 10  # updates in one dispatch of the last variant


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
    adam = Optimizer(2e-4, Adam(b1=0.5))
    plain = gan.Config(
        value_range=(-1.0, 1.0), prior=Normal(100), generator_optimizer=adam, discriminator_optimizer=adam
    )
    gan_28 = dataclasses.replace(plain, generator=mnist.generator, discriminator=mnist.critic)
    up_sampling = {
        "generator": ConvGenerator(channels=32, norm="batch"),
        "discriminator": ConvCritic(channels=16, norm="batch"),
    }
    transposed = {
        "generator": DCGANGenerator(channels=64, kernel_size=4),
        "discriminator": DCGANDiscriminator(channels=64, kernel_size=4),
    }
    denoiser = ddpm_model.Config((28, 28, 1), denoiser=UNet(32, (1, 2, 2), attention=(14,), dropout=0.0))
    resnet = dataclasses.replace(experiment.load("wgan_gp_resnet_cifar10").model, average=digits.average)
    return {
        "wgan_gp_digits": Case(digits, wgan_gp.with_mlps, 64),
        "wgan_gp_28": Case(mnist, wgan_gp.with_mlps, 64),
        "gan_28": Case(gan_28, gan_rivals.with_mlps, 64),
        "vae_mnist": Case(on_binary_images, vae.with_mlps, 128),
        "ddpm_28": Case(denoiser, ddpm.with_unet, 64, scanned=2),
        "wgan_gp_mnist": Case(experiment.load("wgan_gp_mnist").model, wgan_gp.with_convolutions, 64),
        "dcgan_28": Case(dataclasses.replace(plain, **up_sampling), gan_rivals.with_convolutions, 64),
        "dcgan_32": Case(
            dataclasses.replace(plain, image_shape=(32, 32, 3), **up_sampling), gan_rivals.with_convolutions, 64
        ),
        "dcgan_64": Case(
            dataclasses.replace(plain, image_shape=(64, 64, 3), **up_sampling), gan_rivals.with_convolutions, 64
        ),
        "dcgan_64_transposed": Case(
            dataclasses.replace(plain, image_shape=(64, 64, 3), **transposed), gan_rivals.with_convolutions, 64
        ),
        # A quarter of the published batches: an update of 64 takes PyTorch a quarter of a minute on two cores.
        "wgan_gp_resnet_32": Case(resnet, wgan_gp.with_convolutions, 16, scanned=2),
        "sngan_resnet_32": Case(
            experiment.load("sngan_resnet_cifar10").model, gan_rivals.with_convolutions, 16, scanned=2
        ),
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
    state = jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    return sum(sizes.parameters(state).values())


def arithmetic(case: Case) -> int:
    """FLOPs of our update's matrix products and convolutions."""
    from experiments.benchmarks.arithmetic import flops

    return flops(functools.partial(model_of(case.config).update, case.config), *shapes(case))


def device_bytes(case: Case, devices: int = 1) -> int:
    """What one device holds in an update: state, batch and temporaries, by the compiler's own account."""
    mesh = Mesh(np.array(jax.devices()[:devices]), (parallel.AXIS,))
    replicated, cut = (NamedSharding(mesh, PartitionSpec(*names)) for names in ((), (parallel.AXIS,)))
    update = functools.partial(model_of(case.config).update, case.config)
    compiled = (
        jax.jit(update, in_shardings=(replicated, cut, replicated), donate_argnums=0).lower(*shapes(case)).compile()
    )
    memory: Any = compiled.memory_analysis()
    return memory.argument_size_in_bytes + memory.temp_size_in_bytes


def shapes(case: Case) -> tuple[Any, Any, Any]:
    """Of state, batch and key of an update."""
    size = case.batch_size * case.config.minibatches
    state = jax.eval_shape(lambda: model_of(case.config).init(case.config, jax.random.key(0)))
    batch = jax.ShapeDtypeStruct((size, *case.config.image_shape), np.uint8)
    return state, batch, jax.eval_shape(lambda: jax.random.key(0))
