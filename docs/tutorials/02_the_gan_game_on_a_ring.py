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
# # The GAN game, and how it fails on a ring
#
# **Question.** Two networks play: a discriminator $D$ tells real from fake, a generator $G$ makes fakes that pass
# for real. Does the game end where we want it to, with fakes distributed as the data are?
#
# Courses: Jodoin (IFT780), Lingrand and Precioso (DSAI, unrolled GAN), Chaparro-Cruz (minimax game, mode
# collapse): [courses](../courses.md). What to watch in a real run: [adversarial models](../gans.md).

# %%
import sys

import jax
import jax.numpy as jnp
import matplotlib
import matplotlib.pyplot as plt
import numpy as np

sys.path += [".", "../.."]  # the repository, where `experiments` lies

from experiments import data
from experiments.data import toys
from jaxgen import losses, parallel
from jaxgen.gans import gan, unrolled_gan, wgan_gp
from jaxgen.gans.objectives import Minimax, NonSaturating
from jaxgen.metrics import mode_coverage
from jaxgen.moving_averages import Exponential
from jaxgen.nets.initializers import Orthogonal
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.priors import Normal

if "get_ipython" not in globals():
    matplotlib.use("Agg")  # run as a script: pictures are drawn, and no window opens
plt.rcParams |= {"font.size": 15, "axes.titlesize": 17, "figure.constrained_layout.use": True}

# %% [markdown]
# ## The game
#
# $$\min_G \max_D\; \mathbb E[\log D(x)] + \mathbb E[\log(1 - D(G(z)))]$$
#
# For a fixed $G$, data of density $p$ and fakes of density $q$, the best discriminator is $D^* = p / (p + q)$. At
# $p = q$ it says ½ everywhere, and the two sums are worth $-2\log 2$. With scores $s$, $D = \mathrm{sigmoid}(s)$:

# %%
undecided = jnp.zeros(1)
value = float(losses.minimax_discriminator(undecided, undecided)[0])
print(f"loss of a discriminator that cannot tell: {value:.4f} = 2 log 2")

assert abs(value - 2 * np.log(2)) < 1e-6

# %% [markdown]
# ## First trap: the gradient that vanishes
#
# Early in training $D$ rejects every fake: the score $s = D(G(z))$ before the sigmoid is very negative. The
# generator may
#
# * minimise $\log(1 - D(G(z)))$, the minimax or *saturating* loss, or
# * minimise $-\log D(G(z))$, the *non-saturating* loss: the same fixed point, another way there.

# %%
scores = jnp.linspace(-8, 4, 200)
figure, axes = plt.subplots(1, 2, figsize=(13, 4.6))
for name, loss in (("minimax", losses.minimax_generator), ("non-saturating", losses.non_saturating_generator)):
    slopes = jax.grad(lambda s, loss=loss: loss(s).sum())(scores)
    axes[0].plot(scores, loss(scores), lw=3, label=name)
    axes[1].plot(scores, -slopes, lw=3, label=name)
    print(f"{name:15} push on a fake of score -8: {-slopes[0]:.4f}")
    if name == "minimax":
        assert -slopes[0] < 0.001  # a fake that D rejects with certainty learns nothing,
    else:
        assert -slopes[0] > 0.99  # or as much as it can
axes[0].set(xlabel="score of a fake", title="the generator's loss")
axes[1].set(xlabel="score of a fake", title="push on the fake: minus the slope")
axes[0].legend()

# %% [markdown]
# ## Second trap: a game does not descend
#
# The smallest game: data at 0, the fake at $\theta$, a critic $\psi x$. Its vector field is $\dot\theta = -\psi$,
# $\dot\psi = \theta$: a rotation. Simultaneous steps of size $h$ multiply the distance from the solution by
# $\sqrt{1 + h^2}$: always above 1.

# %%
h, path = 0.1, [np.array([1.0, 0.0])]
for _ in range(150):
    theta, psi = path[-1]
    path.append(np.array([theta - h * psi, psi + h * theta]))
path = np.stack(path)
figure, ax = plt.subplots(figsize=(6, 6))
ax.plot(*path.T, lw=2)
ax.plot(0, 0, "k*", ms=20)
ax.set(xlabel="fake", ylabel="critic", aspect="equal", title="each step leads away")

growth = np.linalg.norm(path[-1]) ** (1 / 150)
assert abs(growth - np.sqrt(1 + h**2)) < 1e-9

# %% [markdown]
# So a falling loss proves nothing here, and a loss that does not fall is no fault. We need to look at samples.
#
# ## The ring
#
# Eight Gaussians on a circle: in the plane we see everything. A mode counts as **covered** if at least 1 % of
# 2,000 samples lie near it.

# %%
real = data.load("ring8").images[:]
CENTRES = toys.ring8_centres().astype(np.float32)


def coverage(samples):
    """Number of modes with at least 1 % of the samples within ten standard deviations."""
    return int((mode_coverage(samples, CENTRES, toys.RING8_DEVIATION, within=10.0).counts >= len(samples) / 100).sum())


def train(model, config, num_steps, batch_size=128, seed=0):
    """Samples at four times in the course of training."""
    state, shots = model.init(config, jax.random.key(seed)), []
    step, order = parallel.jit(model.update, config, steps=250), np.random.default_rng(seed)
    calls = num_steps // 250
    for call, keys in enumerate(jax.random.split(jax.random.key(seed + 1), (calls, 250)), start=1):
        batches = real[order.integers(len(real), size=(250, batch_size * config.minibatches))]
        state, _ = step(state, batches, keys)
        if call * 4 % calls < 4:
            shots.append(np.asarray(model.sample(config, state, jax.random.key(2), 2000)))
    return shots[-4:]


def show(runs):
    """A row for each run: its samples over the centres of the data."""
    _, axes = plt.subplots(len(runs), 4, figsize=(14, 3.9 * len(runs)), squeeze=False)
    for row, (name, shots) in zip(axes, runs.items(), strict=True):
        row[0].set_ylabel(name, fontsize=17)
        for ax, shot in zip(row, shots, strict=True):
            ax.plot(*CENTRES.T, "o", ms=22, mfc="none", mec="tab:orange", mew=2)
            ax.plot(*shot[:1000].T, ".", ms=3, color="tab:blue")
            ax.set(xlim=(-2.3, 2.3), ylim=(-2.3, 2.3), xticks=[], yticks=[], title=f"{coverage(shot)} of 8 modes")


figure, ax = plt.subplots(figsize=(5, 5))
ax.plot(*real[:1000].T, ".", ms=3)
ax.set(aspect="equal", title="1,000 real points")

assert coverage(real[:2000]) == 8

# %% [markdown]
# ## Failure one: a discriminator that is too good
#
# Five steps of $D$ for each of $G$. Now $D$ knows all fakes, the minimax loss saturates, and the generator gets
# nowhere.

# %%
SETTINGS = {"image_shape": (2,), "value_range": None, "prior": Normal(8), "generator": MLP((64, 64))}
FIVE = {"discriminator_steps": 5, "generator_optimizer": Optimizer(1e-3, Adam(b1=0.5))}
FIVE |= {"discriminator_optimizer": Optimizer(1e-3, Adam(b1=0.5))}
DISCRIMINATOR = MLP((64, 64), negative_slope=0.2)

minimax = gan.Config(objective=Minimax(), discriminator=DISCRIMINATOR, **SETTINGS, **FIVE)
stuck = {"minimax": train(gan, minimax, 1500)}
show(stuck)

# %% [markdown]
# **Observe.** The cloud drifts and stays a cloud. Three cures, each at its root:
#
# * **Non-saturating loss**: the push on rejected fakes does not vanish. It moves, and is content with some of the
#   modes.
# * **Instance noise**: noise on what $D$ sees, real and fake alike, falling to nothing. Blurred distributions
#   overlap, and $D$ cannot be certain.
# * **Wasserstein critic with gradient penalty**: a score without a sigmoid, whose slope is kept near 1. Five
#   steps are a virtue then. The next tutorial explains it.

# %%
non_saturating = gan.Config(objective=NonSaturating(), discriminator=DISCRIMINATOR, **SETTINGS, **FIVE)
noisy = gan.Config(
    objective=Minimax(), discriminator=InstanceNoise(DISCRIMINATOR, std=0.5, end=1500), **SETTINGS, **FIVE
)
rates = Adam(b1=0.5, b2=0.9)
penalised = wgan_gp.Config(
    image_shape=(2,),
    value_range=None,
    latent_dim=8,
    generator=MLP((64, 64)),
    critic=MLP((64, 64)),
    penalty_weight=0.1,
    generator_optimizer=Optimizer(2e-3, rates, schedule=LinearDecay(1500)),
    critic_optimizer=Optimizer(2e-3, rates, schedule=LinearDecay(5 * 1500)),
    average=Exponential(0.99),
)
mended = {
    "non-saturating": train(gan, non_saturating, 1500),
    "instance noise": train(gan, noisy, 1500),
    "WGAN-GP": train(wgan_gp, penalised, 1500),
}
show(mended)

for name in ("instance noise", "WGAN-GP"):
    assert coverage(stuck["minimax"][-1]) < coverage(mended[name][-1])  # each cure covers more modes
assert coverage(mended["WGAN-GP"][-1]) == 8

# %% [markdown]
# ## Failure two: a generator that runs away
#
# One step each, and a discriminator that learns at a third of the generator's rate. For a fixed $D$ the best
# answer of $G$ is a *single point*, the one that $D$ likes most. $G$ goes there, $D$ learns to reject it, $G$
# goes to the next: **mode hopping**.
#
# The unrolled GAN lets the generator look ahead: it descends the value after $K$ further steps of $D$,
#
# $$f_K(\theta_G, \theta_D) = f(\theta_G, \theta_D^K(\theta_G, \theta_D)),$$
#
# its gradient flowing through these steps. A point where all fakes meet will be rejected $K$ steps later, and is
# no longer attractive. $K = 0$ is the ordinary game.

# %%
CHASE = {
    "prior": Normal(8),
    "generator": MLP((128, 128, 128), initializer=Orthogonal(0.8)),
    "discriminator": MLP((64, 64), activation="tanh", initializer=Orthogonal(1.4)),
    "generator_optimizer": Optimizer(1e-3, Adam(b1=0.5), schedule=LinearDecay(4000)),
    "discriminator_optimizer": Optimizer(3e-4, Adam(b1=0.5, eps_root=1e-8)),
}
hopping = {
    "K = 0": train(unrolled_gan, unrolled_gan.Config(unrolled_steps=0, **CHASE), 2000),
    "K = 5": train(unrolled_gan, unrolled_gan.Config(unrolled_steps=5, **CHASE), 2000),
}
show(hopping)

assert coverage(hopping["K = 0"][-1]) <= 2  # nearly all samples at one place,
assert coverage(hopping["K = 5"][-1]) >= 4  # or on the ring

# %% [markdown]
# **Observe.** Without foresight all samples stay together and wander. With five steps of foresight they spread
# over the ring. It costs what it says: each update of $G$ contains five of $D$, and their derivatives.
#
# ## Exercises
#
# 1. Give the minimax game one discriminator step instead of five. Does it still stand still? What do you conclude
#    about "train $D$ to optimality first"?
# 2. Set $K$ to 1 and to 10. Plot the number of covered modes over the updates, and the seconds.
# 3. Keep the noise: `InstanceNoise(DISCRIMINATOR, std=0.5)`. Where do the samples settle, and why not on the
#    data?
