"""Six GANs of eriklindernoren/PyTorch-GAN for grey digits: its networks, losses and steps, written here in PyTorch.

    gan, wgan_gp    perceptrons for 28x28        cgan                       perceptrons for 32x32
                                                 dcgan, acgan, infogan      convolutions for 32x32

Adam at 2e-4 (b1 .5), batches of 64, the generator's step first. Its faults are kept, as a user of it has them: batch
norm's .8 is an epsilon, a softmax stands before the cross-entropy of classes, AC-GAN multiplies noise with what it
learned of the class. It enlarges digits to 32x32; here a black border of two pixels takes them there, and is cut off.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmarks import rivals
from experiments.benchmarks.rivals import mlp, parameters

CLASSES, CODES = 10, 2
BATCH = 64
NAMES = ("gan", "dcgan", "wgan_gp", "cgan", "acgan", "infogan")
SMALL = ("gan", "wgan_gp")
"""Those for 28x28; the others are for 32x32."""


class Peer(NamedTuple):
    """One of them in training."""

    block: Callable[[np.ndarray, np.ndarray], None]  # uint8 images (updates, batch, 28, 28, 1), labels
    draw: Callable[[int], tuple[np.ndarray, np.ndarray | None]]  # how many: uint8 images and the classes asked for
    parameters: int  # of generator and discriminator


def require_installed() -> None:
    """UserError if PyTorch is not there."""
    rivals.require_installed("torch", cure="pip install -e '.[benchmark]'")


def reference(name: str, seed: int) -> Peer:
    """The model of that name. UserError without PyTorch."""
    require_installed()
    import torch  # pyright: ignore[reportMissingImports]

    torch.manual_seed(seed)
    networks, border = networks_of(name), 0 if name in SMALL else 2
    step = _steps(name, *networks)

    def block(batches: np.ndarray, labels: np.ndarray) -> None:
        for network in networks:
            network.train()
        padded = np.pad(batches, [(0, 0), (0, 0), (border, border), (border, border), (0, 0)])
        for number, batch in enumerate(padded):
            images = torch.as_tensor(np.moveaxis(batch, -1, 1).astype(np.float32) / 127.5 - 1)
            step(images, torch.as_tensor(labels[number].astype(np.int64)))

    def draw(num: int) -> tuple[np.ndarray, np.ndarray | None]:
        generator, asked = networks[0].eval(), np.arange(num) % CLASSES
        with torch.no_grad():
            parts = zip(*(one.split(250) for one in _inputs(name, torch.as_tensor(asked))), strict=True)
            images = np.concatenate([generator(*part).numpy() for part in parts])
        cut = images[:, :, border : images.shape[2] - border, border : images.shape[3] - border]
        levels = np.rint(127.5 * (np.moveaxis(cut, 1, -1) + 1)).astype(np.uint8)
        return levels, asked if name in ("cgan", "acgan") else None

    return Peer(block, draw, parameters(*networks))


def networks_of(name: str) -> tuple[Any, Any]:
    """Generator and discriminator."""
    if name in ("gan", "wgan_gp"):
        return _dense_generator(100, 28), _dense_discriminator(sigmoid=name == "gan")
    if name == "cgan":
        return _conditional_mlps()
    heads = {"dcgan": ("score",), "acgan": ("score", "classes"), "infogan": ("score", "classes", "codes")}[name]
    return _convolutional(100 if name != "infogan" else 62 + CLASSES + CODES, heads, labelled=name == "acgan")


def _dense_generator(inputs: int, side: int) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    layers: list[Any] = [nn.Linear(inputs, 128), nn.LeakyReLU(0.2)]
    for before, after in ((128, 256), (256, 512), (512, 1024)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after, 0.8), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(1024, side**2), nn.Tanh(), nn.Unflatten(1, (1, side, side)))


def _dense_discriminator(*, sigmoid: bool) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    return nn.Sequential(nn.Flatten(), mlp([784, 512, 256, 1], 0.2, *([nn.Sigmoid()] if sigmoid else [])))


def _conditional_mlps() -> tuple[Any, Any]:
    """Embedded classes beside the noise and beside the pixels."""
    import torch  # pyright: ignore[reportMissingImports]
    from torch import nn  # pyright: ignore[reportMissingImports]

    class Beside(nn.Module):
        def __init__(self, network: Any):
            super().__init__()
            self.classes, self.network = nn.Embedding(CLASSES, CLASSES), network

        def forward(self, inputs: Any, labels: Any) -> Any:
            return self.network(torch.cat([inputs.flatten(1), self.classes(labels)], 1))

    layers: list[Any] = [nn.Linear(CLASSES + 32**2, 512), nn.LeakyReLU(0.2)]
    for _ in range(2):
        layers += [nn.Linear(512, 512), nn.Dropout(0.4), nn.LeakyReLU(0.2)]
    return Beside(_dense_generator(100 + CLASSES, 32)), Beside(nn.Sequential(*layers, nn.Linear(512, 1)))


def _convolutional(inputs: int, heads: tuple[str, ...], *, labelled: bool) -> tuple[Any, Any]:
    """Networks of DCGAN, and heads for what else a discriminator finds."""
    from torch import nn  # pyright: ignore[reportMissingImports]

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            self.classes = nn.Embedding(CLASSES, inputs) if labelled else None
            self.network = nn.Sequential(
                *(nn.Linear(inputs, 128 * 8**2), nn.Unflatten(1, (128, 8, 8)), nn.BatchNorm2d(128)),
                *(nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, 1, 1), nn.BatchNorm2d(128, 0.8)),
                *(nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, 1, 1)),
                *(nn.BatchNorm2d(64, 0.8), nn.LeakyReLU(0.2), nn.Conv2d(64, 1, 3, 1, 1), nn.Tanh()),
            )

        def forward(self, noise: Any, labels: Any = None) -> Any:
            return self.network(noise if self.classes is None else noise * self.classes(labels))

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            layers: list[Any] = []
            before = 1
            for after in (16, 32, 64, 128):
                layers += [nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
                layers += [nn.BatchNorm2d(after, 0.8)] if before > 1 else []
                before = after
            self.network = nn.Sequential(*layers, nn.Flatten())
            outputs = {"score": 1, "classes": CLASSES, "codes": CODES}
            last = {"classes": [nn.Softmax(1)], "score": [] if "codes" in heads else [nn.Sigmoid()]}
            self.heads = nn.ModuleList(nn.Sequential(nn.Linear(512, outputs[h]), *last.get(h, [])) for h in heads)

        def forward(self, images: Any) -> Any:
            features = self.network(images)
            found = [head(features) for head in self.heads]
            return found if len(found) > 1 else found[0]

    def begin(module: Any) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)

    return Generator().apply(begin), Discriminator().apply(begin)


def _inputs(name: str, labels: Any) -> tuple[Any, ...]:
    """What the generator takes for examples of these classes."""
    import torch  # pyright: ignore[reportMissingImports]
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]

    num = len(labels)
    if name == "infogan":
        codes = torch.rand(num, CODES) * 2 - 1
        return (torch.cat([torch.randn(num, 62), F.one_hot(labels, CLASSES).float(), codes], 1),)
    noise = torch.randn(num, 100)
    return (noise, labels) if name in ("cgan", "acgan") else (noise,)


def _steps(name: str, generator: Any, discriminator: Any) -> Callable[[Any, Any], None]:
    """One batch of images and labels: a step of each player, as `name` has it."""
    import torch  # pyright: ignore[reportMissingImports]
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]

    def adam(*networks: Any) -> Any:
        moved = [parameter for network in networks for parameter in network.parameters()]
        return torch.optim.Adam(moved, lr=2e-4, betas=(0.5, 0.999))

    optimizer_g, optimizer_d, optimizer_both = adam(generator), adam(discriminator), adam(generator, discriminator)

    def descend(optimizer: Any, loss: Any) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def drawn(num: int) -> Any:
        return torch.randint(0, CLASSES, (num,))

    def against(scores: Any, value: float) -> Any:
        """The discriminator's error if all of these examples are real (1) or fake (0)."""
        distance = F.mse_loss if name in ("cgan", "infogan") else F.binary_cross_entropy
        return distance(scores, torch.full_like(scores, value))

    def two_players(images: Any, labels: Any) -> None:
        asked = drawn(len(images))
        given, shown = ((asked,), (labels,)) if name == "cgan" else ((), ())
        fakes = generator(*_inputs(name, asked))
        descend(optimizer_g, against(_score(discriminator(fakes, *given)), 1.0))
        real, fake = _score(discriminator(images, *shown)), _score(discriminator(fakes.detach(), *given))
        descend(optimizer_d, (against(real, 1.0) + against(fake, 0.0)) / 2)

    def with_classes(images: Any, labels: Any) -> None:
        asked = drawn(len(images))
        fakes = generator(*_inputs(name, asked))

        def error(examples: Any, value: float, classes: Any) -> Any:
            score, found = discriminator(examples)
            return (against(score, value) + F.cross_entropy(found, classes)) / 2

        descend(optimizer_g, error(fakes, 1.0, asked))
        descend(optimizer_d, (error(images, 1.0, labels) + error(fakes.detach(), 0.0, asked)) / 2)

    def with_codes(images: Any, labels: Any) -> None:
        two_players(images, labels)
        asked = drawn(len(images))
        (inputs,) = _inputs(name, asked)
        _, classes, codes = discriminator(generator(inputs))
        descend(optimizer_both, F.cross_entropy(classes, asked) + 0.1 * F.mse_loss(codes, inputs[:, -CODES:]))

    done = 0

    def wasserstein(images: Any, labels: Any) -> None:
        nonlocal done
        inputs = _inputs(name, labels)
        fakes = generator(*inputs)
        mix = torch.rand(len(images), 1, 1, 1)
        between = (mix * images + (1 - mix) * fakes).requires_grad_(True)
        (slopes,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
        penalty = ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()
        descend(optimizer_d, discriminator(fakes).mean() - discriminator(images).mean() + 10 * penalty)
        if done % 5 == 0:
            descend(optimizer_g, -discriminator(generator(*inputs)).mean())
        done += 1

    if name == "wgan_gp":
        return wasserstein
    return {"acgan": with_classes, "infogan": with_codes}.get(name, two_players)


def _score(found: Any) -> Any:
    return found[0] if isinstance(found, list) else found
