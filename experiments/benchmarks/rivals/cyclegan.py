"""CycleGAN by its authors: the networks and the loop of a checkout of their repository, in PyTorch.

junyanz/pytorch-CycleGAN-and-pix2pix; nothing of it is here. Its `CycleGANModel` is made with the options of `config`,
and is given our first weights, so that the losses of both are those of the same networks.
"""

import argparse
import importlib
import pathlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmarks.rivals import parameters
from experiments.command_line.errors import UserError
from jaxgen.translation import cyclegan
from jaxgen.translation.cycles import TO_A, TO_B, A, B


class Reference(NamedTuple):
    """Their model in training."""

    update: Callable[[np.ndarray, np.ndarray], None]  # with a batch of each domain, NHWC in [-1, 1]
    losses: Callable[[], dict[str, float]]  # of the last update, by our names
    parameters: int


def reference(checkout: pathlib.Path, config: cyclegan.Config, state: cyclegan.State) -> Reference:
    """Their model with the widths and weights of `config`, and the first weights of `state`. UserError without it."""
    import torch  # pyright: ignore[reportMissingImports]

    model = _model(checkout)(_options(config, torch.device("cpu")))
    networks = {
        "netG_A": state.generator.params[TO_B],
        "netG_B": state.generator.params[TO_A],
        "netD_A": state.discriminator.params[B],
        "netD_B": state.discriminator.params[A],
    }
    for name, params in networks.items():
        load(getattr(model, name), params)

    def tensor(images: np.ndarray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1), np.float32))

    def update(a: np.ndarray, b: np.ndarray) -> None:
        model.set_input({"A": tensor(a), "B": tensor(b), "A_paths": [], "B_paths": []})
        model.optimize_parameters()

    def losses() -> dict[str, float]:
        found = model.get_current_losses()
        sums = {one: found[f"{one}_A"] + found[f"{one}_B"] for one in ("G", "D", "cycle", "idt")}
        return {
            "generator_loss": sums["G"] / config.adversarial_weight,
            "discriminator_loss": sums["D"],
            "cycle": sums["cycle"] / config.cycle_weight,
            "identity": sums["idt"] / (config.cycle_weight * config.identity_weight),
        }

    return Reference(update, losses, sum(parameters(getattr(model, name)) for name in networks))


def load(network: Any, params: Mapping[str, Any]) -> None:
    """Put our parameters into the convolutions of a network in PyTorch, in the order in which both apply them."""
    import torch  # pyright: ignore[reportMissingImports]

    counts = {"Conv": 0, "ConvTranspose": 0}
    for module in network.modules():
        if not isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            continue
        kind = "Conv" if isinstance(module, torch.nn.Conv2d) else "ConvTranspose"
        layer = params[f"{kind}_{counts[kind]}"]
        counts[kind] += 1
        kernel = np.asarray(layer["kernel"])
        moved = kernel.transpose(3, 2, 0, 1) if kind == "Conv" else kernel[::-1, ::-1].transpose(2, 3, 0, 1)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(moved.copy()))
            if module.bias is not None:
                module.bias.copy_(torch.from_numpy(np.array(layer["bias"])))


def _model(checkout: pathlib.Path) -> Any:
    """The class of their model."""
    if not (checkout / "models" / "cycle_gan_model.py").is_file():
        raise UserError(
            f"{checkout} is no checkout of pytorch-CycleGAN-and-pix2pix: models/cycle_gan_model.py is missing"
        )
    sys.path.insert(0, str(checkout))
    try:
        return importlib.import_module("models.cycle_gan_model").CycleGANModel
    except ImportError as error:
        raise UserError(f"{checkout} cannot be imported ({error}); install what it needs") from error
    finally:
        sys.path.remove(str(checkout))


def _options(config: cyclegan.Config, device: Any) -> argparse.Namespace:
    """The options that their training reads, of several versions."""
    generator: Any = config.generator
    discriminator: Any = config.discriminator
    rate: Any = config.generator_optimizer
    channels = config.image_shape[2]
    return argparse.Namespace(
        isTrain=True,
        gpu_ids=[],
        device=device,
        checkpoints_dir=tempfile.gettempdir(),
        name="benchmark",
        preprocess="none",
        direction="AtoB",
        lambda_A=config.cycle_weight,
        lambda_B=config.cycle_weight,
        lambda_identity=config.identity_weight,
        input_nc=channels,
        output_nc=channels,
        ngf=generator.channels,
        netG=f"resnet_{generator.blocks}blocks",
        norm="instance",
        no_dropout=True,
        init_type="normal",
        init_gain=0.02,
        ndf=discriminator.channels,
        netD="n_layers",
        n_layers_D=discriminator.layers,
        pool_size=config.capacity,
        gan_mode="lsgan",
        no_lsgan=False,
        lr=rate.learning_rate,
        beta1=rate.rule.b1,
        verbose=False,
    )
