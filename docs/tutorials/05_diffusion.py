# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Diffusion: images from noise, a little at a time
#
# **Question.** To destroy an image is easy: add noise until nothing is left. Can a network learn the way back? And
# why does it take many steps, when a GAN needs one?
#
# Courses: FIDLE (DDPM, the wardrobe): [courses](../courses.md). The wardrobe itself is an experiment:
# `ddpm_fashion_mnist_taught`, and `ddpm_fashion_mnist`, on [its page](../models/ddpm.md).

# %%
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

sys.path += [".", "../.."]  # the repository, where `experiments` lies

from experiments import data
from experiments.data import toys
from jaxgen import parallel
from jaxgen.batches import Labelled
from jaxgen.diffusion import ddpm
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Estimate, V, corrupt
from jaxgen.diffusion.samplers import DDIM, DPMSolver, Euler, Heun, run
from jaxgen.diffusion.schedules import CosineBetas, LinearBetas, Sigmas, snr
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.optimizers import Adam, Optimizer

if "get_ipython" not in globals():
    matplotlib.use("Agg")  # run as a script: pictures are drawn, and no window opens
plt.rcParams |= {"font.size": 15, "axes.titlesize": 17, "figure.constrained_layout.use": True}

# %% [markdown]
# ## The way into the noise
#
# A noisy image at time $t$ is a mixture of the image and of noise,
#
# $$x_t = \alpha_t x_0 + \sigma_t \epsilon, \qquad \epsilon \sim N(0, I), \quad \alpha_t^2 + \sigma_t^2 = 1.$$
#
# The *schedule* says how fast $\alpha_t$ falls. What counts is the signal-to-noise ratio $\alpha_t^2 / \sigma_t^2$.

# %%
train_set = data.load("digits")
images = jnp.asarray(train_set.images[:] / np.float32(127.5) - 1)
labels = jnp.asarray(train_set.labels, jnp.int32)
times = np.array([0, 250, 500, 750, 999])
figure, axes = plt.subplots(2, 5, figsize=(12, 5))
for row, schedule in zip(axes, (LinearBetas(1000), CosineBetas(1000)), strict=True):
    row[0].set_ylabel(type(schedule).__name__)
    for ax, t in zip(row, times, strict=True):
        level = schedule.level(np.float64(t))
        noise = jax.random.normal(jax.random.key(0), (1, 8, 8, 1))
        ax.imshow(corrupt(level, images[:1], noise)[0, :, :, 0], cmap="gray")
        ax.set(title=f"t = {t}", xticks=[], yticks=[])

middle = {
    type(each).__name__: float(snr(each.level(np.float64(500)))) for each in (LinearBetas(1000), CosineBetas(1000))
}
print("signal-to-noise ratio at t = 500:", middle)

assert middle["LinearBetas"] < 0.1 < 0.9 < middle["CosineBetas"]  # the linear one has destroyed nearly all by then

# %% [markdown]
# ## The best denoiser is a mean
#
# Given $x_t$, which image was it? There are many answers, and the network that minimises the squared error learns
# their **mean**, $E[x_0 | x_t]$. For points on a ring we can write it down: no network is needed.

# %%
CENTRES, DEVIATION = jnp.asarray(toys.ring8_centres(), jnp.float32), toys.RING8_DEVIATION


def exact(noisy, point):
    """E[x_0|x_t] for eight Gaussians, and the noise that goes with it."""
    alpha, sigma = point.level
    variance = alpha**2 * DEVIATION**2 + sigma**2
    shares = jax.nn.softmax(-0.5 * ((noisy[:, None] - alpha * CENTRES) ** 2).sum(-1) / variance)
    each = CENTRES + alpha * DEVIATION**2 / variance * (noisy[:, None] - alpha * CENTRES)
    mean = (shares[:, :, None] * each).sum(1)
    return Estimate(mean, (noisy - alpha * mean) / sigma)


schedule, keys = Sigmas(0.01, 10.0), jax.random.split(jax.random.key(1), 500)
start = 10.0 * jax.random.normal(jax.random.key(0), (500, 2))
figure, axes = plt.subplots(1, 4, figsize=(15, 4.2))
spread = {}
for ax, steps in zip(axes, (1, 2, 5, 30), strict=True):
    states = run(Heun(steps), schedule, exact, start, keys, keep=True)
    ax.plot(*np.moveaxis(np.asarray(states[:, :60]), -1, 0), color="0.8", lw=0.8)
    ax.plot(*np.asarray(states[-1]).T, ".", ms=4)
    ax.set(xlim=(-2.5, 2.5), ylim=(-2.5, 2.5), xticks=[], yticks=[], title=f"{steps} steps")
    nearest = np.linalg.norm(np.asarray(states[-1])[:, None] - np.asarray(CENTRES), axis=-1).min(1)
    spread[steps] = float((nearest < 0.1).mean())
print("share of points near a centre:", spread)

assert spread[1] < 0.05  # one step from pure noise: the mean of everything,
assert spread[30] > 0.95  # many small steps: the data

# %% [markdown]
# **Observe.** One step leads all points to the middle of the ring: seen from pure noise every centre is equally
# likely, and the mean of the answers is no answer. After a small step the question is easier: that is why it takes
# many.
#
# ## Learn it
#
# A small network predicts $v = \alpha \epsilon - \sigma x_0$ (from which both $x_0$ and $\epsilon$ follow) of noisy
# digits. One in ten digits is shown without its label: the network learns with and without.

# %%
config = ddpm.Config(
    image_shape=(8, 8, 1),
    num_classes=10,
    denoiser=TimeMLP(256, 3),
    schedule=CosineBetas(1000),
    prediction=V(),
    sampler=DDIM(50, eta=1.0),
    optimizer=Optimizer(1e-3, Adam(), warm_up=100),
    average=HalfLife(200.0),
)
state, order = ddpm.init(config, jax.random.key(0)), np.random.default_rng(0)
update, losses = parallel.jit(ddpm.update, config, steps=250), []
for keys in jax.random.split(jax.random.key(1), (16, 250)):
    rows = order.integers(len(images), size=(250, 128))
    state, metrics = update(state, Labelled(images[rows], labels[rows]), keys)
    losses.append(float(metrics["loss"].mean()))
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}")

assert losses[-1] < 0.7 * losses[0]

# %%
judge = KNeighborsClassifier(5).fit(np.asarray(images).reshape(-1, 64), np.asarray(labels))
wanted = jnp.arange(400, dtype=jnp.int32) % 10


def draw(config):
    """400 digits, a class a column."""
    return np.asarray(jax.jit(lambda state: ddpm.sample(config, state, jax.random.key(2), 400, wanted))(state))


def right(samples):
    """How often the judge sees the digit that was asked for."""
    return float((judge.predict(samples.reshape(-1, 64)) == np.asarray(wanted)).mean())


def show(samples, title):
    """The first forty."""
    _, ax = plt.subplots(figsize=(10, 4.4))
    grid = samples[:40].reshape(4, 10, 8, 8).transpose(0, 2, 1, 3).reshape(32, 80)
    ax.imshow(grid, cmap="gray")
    ax.set(title=title, xticks=[], yticks=[])


plain = draw(config)
show(plain, f"a class a column; {right(plain):.0%} as asked")

assert right(plain) > 0.75

# %% [markdown]
# ## Guidance: more than the class
#
# The network answers with the class and without. Go further in the direction in which the class points:
#
# $$\hat{v} = v(x) + s \, (v(x, c) - v(x)).$$
#
# $s = 1$ is the network as it is, $s = 0$ asks for any digit.

# %%
accuracy = {}
for scale in (0.0, 1.0, 2.0, 4.0):
    samples = draw(replace(config, guidance=ClassifierFree(scale)))
    accuracy[scale] = right(samples)
    print(f"scale {scale}: {accuracy[scale]:.0%} as asked")

assert accuracy[0.0] < 0.3 < 0.8 < accuracy[1.0]  # without the class: by chance
assert accuracy[4.0] >= accuracy[1.0]  # and surer with more of it

# %% [markdown]
# **Observe.** This network knows the classes so well that it needs no help. Guidance pays where classes are hard to
# tell, as those of photographs are.
#
# ## The sampler is not the model
#
# One network, many ways to walk. A sampler is a value: exchange it, and nothing needs to be trained again.

# %%
figure, axes = plt.subplots(1, 4, figsize=(15, 4.2))
reached = {}
samplers = {
    "DDIM, 5 steps": DDIM(5),
    "DPM-Solver++, 5 steps": DPMSolver(5),
    "Euler, 50 steps": Euler(50, limit=NoLimit()),
    "DDIM with noise, 50 steps": DDIM(50, eta=1.0),
}
for ax, (name, sampler) in zip(axes, samplers.items(), strict=True):
    samples = draw(replace(config, sampler=sampler))
    reached[name] = right(samples)
    ax.imshow(samples[:20].reshape(2, 10, 8, 8).transpose(0, 2, 1, 3).reshape(16, 80)[:, :40], cmap="gray")
    ax.set(title=f"{name}\n{reached[name]:.0%}", xticks=[], yticks=[])
print(reached)

assert min(reached.values()) > 0.6  # even five steps give digits

# %% [markdown]
# ## Exercises
#
# 1. Set `prediction` to `Noise()` and to `Data()`. The losses cannot be compared; can the samples? Which weight
#    (`jaxgen.diffusion.weights`) makes the two losses the same?
# 2. Draw the same noise with 5, 10, 20 and 50 steps of `DDIM`. Which parts of a digit are decided early?
# 3. `label=-1` asks for no class. Draw 400 of them: are the ten digits equally frequent?
# 4. Replace the ring's exact denoiser by that of one Gaussian. How many steps does `Heun` need now, and why?
