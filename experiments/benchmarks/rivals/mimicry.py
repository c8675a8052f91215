"""SNGAN by mimicry: the networks, losses and steps of a checkout of its repository, in PyTorch.

kwotsin/mimicry; nothing of it is here. Its networks for 32x32 take the steps that its own trainer makes them take.
"""

import importlib
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmarks.rivals import parameters
from experiments.command_line.errors import UserError
from jaxgen.gans import gan

PACKAGE = "torch_mimicry"


class Reference(NamedTuple):
    """Their networks in training; images are NHWC in [-1, 1]."""

    update: Callable[[np.ndarray], None]  # with minibatches (steps, batch, 32, 32, 3) of the discriminator's steps
    samples: Callable[[int], np.ndarray]  # so many images, with running statistics
    losses: Callable[[], dict[str, float]]  # of both players in the last update
    parameters: int


class _Log:
    """What their steps tell their trainer."""

    def __init__(self):
        self.found: dict[str, Any] = {}

    def add_metric(self, name: str, value: Any, group: str | None = None) -> None:
        self.found[name] = value


def reference(checkout: pathlib.Path, config: gan.Config, updates: int, seed: int) -> Reference:
    """Their SNGAN with the widths and rates of `config`, falling to 0 over `updates`. UserError without a checkout."""
    import torch  # pyright: ignore[reportMissingImports]

    nets, device = _networks(checkout), torch.device("cpu")
    torch.manual_seed(seed)
    widths: Any = config.generator, config.discriminator
    generator = nets.SNGANGenerator32(nz=config.prior.shape[0], ngf=widths[0].channels[0])
    discriminator = nets.SNGANDiscriminator32(ndf=widths[1].net.channels)
    players = {"generator": generator, "discriminator": discriminator}
    adams = {name: _adam(getattr(config, f"{name}_optimizer"), player) for name, player in players.items()}
    decays = [torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / updates) for adam in adams.values()]
    log = _Log()

    def update(images: np.ndarray) -> None:
        batch = ()
        for minibatch in images:
            moved = torch.from_numpy(np.ascontiguousarray(np.moveaxis(minibatch, -1, 1), np.float32))
            batch = moved, torch.zeros(len(moved), dtype=torch.long)
            given = {"netG": generator, "optD": adams["discriminator"], "log_data": log, "device": device}
            discriminator.train_step(real_batch=batch, **given)
        given = {"netD": discriminator, "optG": adams["generator"], "log_data": log, "device": device}
        generator.train_step(real_batch=batch, **given)
        for decay in decays:
            decay.step()

    def samples(num: int) -> np.ndarray:
        generator.eval()
        with torch.no_grad():
            parts = [generator.generate_images(min(250, num - start), device) for start in range(0, num, 250)]
        generator.train()
        return np.moveaxis(torch.cat(parts).numpy(), 1, -1)

    def losses() -> dict[str, float]:
        return {"generator_loss": log.found["errG"].item(), "discriminator_loss": log.found["errD"]}

    return Reference(update, samples, losses, parameters(generator, discriminator))


def _adam(optimizer: Any, network: Any) -> Any:
    import torch  # pyright: ignore[reportMissingImports]

    betas = (optimizer.rule.b1, optimizer.rule.b2)
    return torch.optim.Adam(network.parameters(), optimizer.learning_rate, betas=betas, eps=optimizer.rule.eps)


def _networks(checkout: pathlib.Path) -> Any:
    """Their module of networks for 32x32, without the rest of the package, which needs TensorFlow."""
    folder = checkout / PACKAGE
    if not (folder / "nets" / "sngan" / "sngan_32.py").is_file():
        raise UserError(f"{checkout} is no checkout of mimicry: {PACKAGE}/nets/sngan/sngan_32.py is missing")
    package = types.ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    try:
        return importlib.import_module(f"{PACKAGE}.nets.sngan.sngan_32")
    except ImportError as error:
        raise UserError(f"{checkout} cannot be imported ({error}); install what it needs") from error
