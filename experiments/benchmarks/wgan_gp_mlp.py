"""WGAN-GP with MLPs: our update beside an eager PyTorch update of the same networks, alternating in one run.

    pip install -e '.[benchmark]'
    python -m experiments.benchmarks.wgan_gp_mlp

An update is n_critic = 5 critic steps with penalty and one generator step, float32, batch 64, Adam, random images,
noise drawn anew. Settings: `digits` is that of `experiments.configs.wgan_gp_digits`; `mnist` has 128-256-512-1024-784
against 784-512-256-1. Parameter counts are checked to be equal, then each round times every variant once for at least
`--seconds`; `fakes not detached` is how PyTorch-GAN writes the critic's step. The ratios are those of one round each,
their median and range are printed. Above 1: faster than PyTorch.

On a machine that others load, compare the work of one core:

    taskset -c 0 python -m experiments.benchmarks.wgan_gp_mlp --clock processor
"""

import dataclasses
import functools
import itertools
import json
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np

from experiments import cli, experiment
from jaxgen import parallel
from jaxgen.gans import wgan_gp
from jaxgen.nets.mlp import MLP

SCANNED = 10
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    rounds: int = 5  # alternations of all variants
    seconds: float = 2.0  # of each variant in each round, at least
    batch_size: int = 64  # m
    clock: Literal["wall", "processor"] = "wall"  # processor: seconds of all threads, whoever else uses the machine
    json: pathlib.Path | None = None  # also write the figures here


def settings() -> dict[str, wgan_gp.Config]:
    """The two sizes."""
    digits = experiment.load("wgan_gp_digits").model
    mnist = dataclasses.replace(
        digits,
        image_shape=(28, 28, 1),
        latent_dim=100,
        generator=MLP((128, 256, 512, 1024)),
        critic=MLP((512, 256), negative_slope=0.2),
    )
    return {"digits": digits, "mnist": mnist}


def ours(config: wgan_gp.Config, batch_size: int, steps: int | None) -> Callable[[], None]:
    """A call runs `steps` updates (None: one, in a dispatch of its own)."""
    size = batch_size * config.critic_steps
    shape = (size, *config.image_shape) if steps is None else (steps, size, *config.image_shape)
    batch = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    step = parallel.jit(wgan_gp.update, config, steps=steps)
    keys = jax.random.key(0) if steps is None else jax.random.split(jax.random.key(0), steps)
    state = [jax.jit(functools.partial(wgan_gp.init, config))(jax.random.key(1))]

    def run() -> None:
        state[0], _ = step(state[0], batch, keys)
        jax.block_until_ready(state[0])

    return run


def eager_torch(config: wgan_gp.Config, batch_size: int, *, detach: bool = True) -> tuple[Callable[[], None], int]:
    """The same update in plain PyTorch, and the number of parameters of both networks.

    Without `detach` the critic's backward pass runs on through the generator, whose gradients are then thrown away.
    """
    import torch  # pyright: ignore[reportMissingImports]
    from torch import nn  # pyright: ignore[reportMissingImports]

    def mlp(sizes: list[int], slope: float, last: list[nn.Module]) -> nn.Sequential:
        layers: list[nn.Module] = []
        for i, o in itertools.pairwise(sizes[:-1]):
            layers += [nn.Linear(i, o), nn.LeakyReLU(slope) if slope else nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]), *last)

    pixels = int(np.prod(config.image_shape))
    features = config.generator.features, config.critic.features  # pyright: ignore[reportAttributeAccessIssue]
    generator = mlp([config.latent_dim, *features[0], pixels], 0.0, [nn.Tanh()])
    critic = mlp([pixels, *features[1], 1], 0.2, [])
    adam = functools.partial(torch.optim.Adam, lr=1e-3, betas=(0.0, 0.9))
    optimizer_g, optimizer_c = adam(generator.parameters()), adam(critic.parameters())
    average = [parameter.detach().clone() for parameter in generator.parameters()]
    real = torch.rand(config.critic_steps, batch_size, pixels) * 2 - 1

    def critic_step(x: Any) -> None:
        fake = generator(torch.randn(batch_size, config.latent_dim))
        fake = fake.detach() if detach else fake
        mix = torch.rand(batch_size, 1)
        points = (mix * x + (1 - mix) * fake.detach()).requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(x).mean() + config.penalty_weight * penalty
        optimizer_c.zero_grad()
        loss.backward()
        optimizer_c.step()

    def run() -> None:
        for x in real:
            critic_step(x)
        loss = -critic(generator(torch.randn(batch_size, config.latent_dim))).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        with torch.no_grad():
            for old, new in zip(average, generator.parameters(), strict=True):
                old.lerp_(new, 1 - config.ema_decay)

    networks = (generator, critic)
    return run, sum(p.numel() for network in networks for p in network.parameters())


def seconds_per_update(run: Callable[[], None], updates: int, seconds: float, clock: Callable[[], float]) -> float:
    """Mean time of an update over at least `seconds`."""
    calls, begun = 0, clock()
    while clock() - begun < seconds:
        run()
        calls += 1
    return (clock() - begun) / (calls * updates)


def measure(config: wgan_gp.Config, options: Options) -> dict[str, dict[str, float]]:
    """Median milliseconds and ratio to PyTorch of each variant, with the range of the ratio."""
    torch_run, torch_count = eager_torch(config, options.batch_size)
    state = jax.eval_shape(lambda: wgan_gp.init(config, jax.random.key(0)))
    count = sum(leaf.size for leaf in jax.tree.leaves((state.generator.params, state.critic.params)))
    if count != torch_count:
        raise ValueError(f"{count} parameters beside {torch_count} in PyTorch; no fair comparison")
    variants = {
        "PyTorch, eager": (torch_run, 1),
        "PyTorch, fakes not detached": (eager_torch(config, options.batch_size, detach=False)[0], 1),
        "jaxgen, one update a call": (ours(config, options.batch_size, None), 1),
        f"jaxgen, {SCANNED} updates a call": (ours(config, options.batch_size, SCANNED), SCANNED),
    }
    clock = CLOCKS[options.clock]
    for run, _ in variants.values():
        seconds_per_update(run, 1, 0.5, clock)
    rounds = [
        {name: seconds_per_update(run, updates, options.seconds, clock) for name, (run, updates) in variants.items()}
        for _ in range(options.rounds)
    ]
    return {name: _summary(name, rounds) for name in variants} | {"parameters": {"count": float(count)}}


def _summary(name: str, rounds: list[dict[str, float]]) -> dict[str, float]:
    ratios = [times["PyTorch, eager"] / times[name] for times in rounds]
    return {
        "milliseconds": 1e3 * statistics.median(times[name] for times in rounds),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


def main(argv: Sequence[str]) -> int:
    """Print a table for each setting."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.wgan_gp_mlp", __doc__ or "")
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise experiment.UserError("PyTorch is missing: pip install -e '.[benchmark]'") from error
    threads, devices = torch.get_num_threads(), jax.devices()
    print(f"PyTorch {torch.__version__} on {threads} threads, JAX {jax.__version__} on {devices}")
    results = {}
    for name, config in settings().items():
        results[name] = measure(config, options)
        print(f"\n{name}: {results[name]['parameters']['count']:,.0f} parameters, batch {options.batch_size}")
        print(f"{'':<28}{'ms':>8}{'ratio':>8}  range")
        for variant, row in results[name].items():
            if variant != "parameters":
                line = f"{variant:<28}{row['milliseconds']:>8.2f}{row['ratio']:>8.2f}"
                print(f"{line}  {row['lowest']:.2f} to {row['highest']:.2f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    cli.run(main)
