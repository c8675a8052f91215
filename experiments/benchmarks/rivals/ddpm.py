"""DDPM with the U-Net and the training loop of diffusers, in PyTorch."""

from collections.abc import Callable
from typing import Any, NamedTuple

from experiments.benchmarks.rivals import Rival, lerp, parameters, wrap
from jaxgen.diffusion import ddpm
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.typing import Shape


class Trainer(NamedTuple):
    """A network in training; images are NCHW, in [-1, 1]."""

    step: Callable[[Any], float]  # one update with a batch; its loss
    network: Any
    average: list[Any]  # of the network's parameters


def with_unet(config: ddpm.Config, batch_size: int, *, compiled: bool = False) -> Rival:
    """diffusers' update on random images."""
    import torch  # pyright: ignore[reportMissingImports]

    trainer = in_diffusers(config, compiled=compiled)
    height, width, channels = config.image_shape
    images = torch.rand(batch_size, channels, height, width) * 2 - 1
    return Rival(lambda: (trainer.step(images), None)[1], parameters(trainer.network))


def in_diffusers(config: ddpm.Config, *, compiled: bool = False) -> Trainer:
    """`UNet2DModel` of the widths of `config`, noise of the linear schedule, Adam, clipping and a moving average."""
    import torch  # pyright: ignore[reportMissingImports]
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
    from diffusers import DDPMScheduler  # pyright: ignore[reportMissingImports]

    num_steps = config.schedule.steps  # pyright: ignore[reportAttributeAccessIssue]
    network = unet(config.denoiser, config.image_shape)  # pyright: ignore[reportArgumentType]
    scheduler = DDPMScheduler(num_steps, beta_schedule="linear")
    optimizer = torch.optim.Adam(network.parameters(), lr=config.optimizer.learning_rate)
    average = [parameter.detach().clone() for parameter in network.parameters()]
    compute = wrap(compiled)(network)

    def step(images: Any) -> float:
        noise = torch.randn_like(images)
        times = torch.randint(0, num_steps, (len(images),))
        loss = F.mse_loss(compute(scheduler.add_noise(images, noise, times), times).sample, noise)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        lerp(average, network, 0.9999)
        return loss.item()

    return Trainer(step, network, average)


def unet(ours: UNet, image_shape: Shape) -> Any:
    """The same network as `ours`, with diffusers' norms of 32 groups and its first weights."""
    from diffusers import UNet2DModel  # pyright: ignore[reportMissingImports]

    side, _, channels = image_shape
    attends = [side >> level in ours.attention for level in range(len(ours.multipliers))]
    return UNet2DModel(
        sample_size=side,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=tuple(multiplier * ours.channels for multiplier in ours.multipliers),
        layers_per_block=ours.blocks,
        down_block_types=tuple("AttnDownBlock2D" if one else "DownBlock2D" for one in attends),
        up_block_types=tuple("AttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attends)),
        attention_head_dim=None,
        downsample_padding=0,
        dropout=ours.dropout,
        flip_sin_to_cos=False,
        freq_shift=1,
        norm_eps=1e-6,
    )
