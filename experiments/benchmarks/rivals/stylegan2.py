"""StyleGAN 2 by its authors: the networks and the loss of a checkout of their repository, in PyTorch, on CPU.

NVlabs/stylegan2-ada-pytorch; nothing of it is here. Off CUDA its operations take the reference paths, which are plain
PyTorch. Its training loop asks for CUDA; `Reference.update` does what an iteration of it does: a step of each of the
four phases that is due, and the moving average of the generator.
"""

import copy
import importlib
import pathlib
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmarks.rivals import parameters
from experiments.command_line.errors import UserError
from jaxgen.gans import stylegan2


class Reference(NamedTuple):
    """Their networks in training."""

    update: Callable[[np.ndarray], None]  # with a batch of images, NHWC in [-1, 1]
    generator: int  # parameters
    discriminator: int


class Phase(NamedTuple):
    """A loss of one network, and how often it is due."""

    name: str
    network: Any
    optimizer: Any
    every: int


def reference(checkout: pathlib.Path, config: stylegan2.Config) -> Reference:
    """Their networks with the sizes and settings of `config`, freshly drawn. UserError without a checkout."""
    networks, losses = _modules(checkout)
    import torch  # pyright: ignore[reportMissingImports]

    generator, discriminator = _networks(networks, config)
    average = copy.deepcopy(generator).eval()
    loss = losses.StyleGAN2Loss(
        torch.device("cpu"),
        generator.mapping,
        generator.synthesis,
        discriminator,
        style_mixing_prob=config.mixing,
        r1_gamma=config.r1.weight,
        pl_batch_shrink=config.path_length.shrink,
        pl_decay=config.path_length.decay,
        pl_weight=config.path_length.weight,
    )
    phases = _phases(config, generator, discriminator)
    averaging: Any = config.average
    done = [0]

    def update(images: np.ndarray) -> None:
        real = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1), np.float32))
        for phase in phases:
            if done[0] % phase.every == 0:
                _step(phase, loss, real, config.prior.shape[0])
        _follow(average, generator, averaging.decay)
        done[0] += 1

    return Reference(update, parameters(generator), parameters(discriminator))


def _networks(networks: Any, config: stylegan2.Config) -> tuple[Any, Any]:
    """Generator and discriminator in training, of the config's sizes."""
    synthesis: Any = config.synthesis
    judge: Any = config.discriminator
    mapping: Any = config.mapping
    side, _, channels = config.image_shape
    common = {"c_dim": 0, "img_resolution": side, "img_channels": channels}
    widths = {"channel_base": synthesis.channel_base, "channel_max": synthesis.channel_max}
    of_mapping = {"num_layers": mapping.layers, "w_avg_beta": config.style_decay}
    sizes = {"z_dim": config.prior.shape[0], "w_dim": mapping.features}
    generator = networks.Generator(**sizes, **common, mapping_kwargs=of_mapping, synthesis_kwargs=widths)
    widths = {"channel_base": judge.channel_base, "channel_max": judge.channel_max}
    discriminator = networks.Discriminator(**common, **widths, epilogue_kwargs={"mbstd_group_size": judge.group})
    return tuple(network.train().requires_grad_(False) for network in (generator, discriminator))


def _phases(config: stylegan2.Config, generator: Any, discriminator: Any) -> list[Phase]:
    """In their order; the optimisers have the corrections of lazy regularisation already, as ours have."""
    import torch  # pyright: ignore[reportMissingImports]

    found = []
    for letter, network, ours, every in (
        ("G", generator, config.generator_optimizer, config.path_length.every),
        ("D", discriminator, config.discriminator_optimizer, config.r1.every),
    ):
        rule: Any = ours.rule
        betas = (rule.b1, rule.b2)
        optimizer = torch.optim.Adam(network.parameters(), lr=ours.learning_rate, betas=betas, eps=rule.eps)
        found += [Phase(f"{letter}main", network, optimizer, 1), Phase(f"{letter}reg", network, optimizer, every)]
    return found


def _step(phase: Phase, loss: Any, real: Any, latent_dim: int) -> None:
    """One step of the phase's network; gradients that are no numbers count as 0."""
    import torch  # pyright: ignore[reportMissingImports]

    num = len(real)
    phase.optimizer.zero_grad(set_to_none=True)
    phase.network.requires_grad_(True)
    latents, labels = torch.randn([num, latent_dim]), torch.zeros([num, 0])
    loss.accumulate_gradients(phase.name, real, labels, latents, labels, sync=True, gain=phase.every)
    phase.network.requires_grad_(False)
    for parameter in phase.network.parameters():
        if parameter.grad is not None:
            torch.nan_to_num(parameter.grad, nan=0, posinf=1e5, neginf=-1e5, out=parameter.grad)
    phase.optimizer.step()


def _follow(average: Any, network: Any, decay: float) -> None:
    """The moving average of the parameters; buffers are copied."""
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        old.copy_(new.lerp(old, decay))
    for old, new in zip(average.buffers(), network.buffers(), strict=True):
        old.copy_(new)


def _modules(checkout: pathlib.Path) -> tuple[Any, Any]:
    """Their modules of networks and of the loss."""
    if not (checkout / "training" / "loss.py").is_file() or not (checkout / "torch_utils").is_dir():
        raise UserError(f"{checkout} is no checkout of stylegan2-ada-pytorch: training/loss.py is missing")
    sys.path.insert(0, str(checkout))
    try:
        return importlib.import_module("training.networks"), importlib.import_module("training.loss")
    except ImportError as error:
        raise UserError(f"{checkout} cannot be imported ({error}); install what it needs") from error
    finally:
        sys.path.remove(str(checkout))
