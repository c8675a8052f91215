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
# # Wasserstein: clipping, then a penalty
#
# **Question.** Real images and fakes hardly ever overlap. Which distance between distributions still says that a
# fake came *closer*? And how does a network compute it?
#
# Courses: Lingrand and Precioso (DSAI), FIDLE (WGAN, earth mover's distance, WGAN-GP), Bouchard (WGAN on
# forests): [courses](../courses.md).

# %%
import functools
import sys

import jax
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

sys.path += [".", "../.."]  # the repository, where `experiments` lies

from experiments import data
from experiments.data import toys
from jaxgen import losses, parallel
from jaxgen.gans import wgan, wgan_gp
from jaxgen.metrics import mode_coverage
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, LinearDecay, Optimizer, RMSProp
from jaxgen.priors import Normal
from jaxgen.train_state import descend

if "get_ipython" not in globals():
    matplotlib.use("Agg")  # run as a script: pictures are drawn, and no window opens
plt.rcParams |= {"font.size": 15, "axes.titlesize": 17, "figure.constrained_layout.use": True}

# %% [markdown]
# ## Earth to move
#
# Two heaps of earth on four places. The **earth mover's distance** is the least work (mass times way) that turns
# one into the other. From left to right, what is too much is pushed one place on:
#
# $$W(p, q) = \sum_k \Big|\sum_{i \le k} (p_i - q_i)\Big| .$$

# %%
p, q = np.array([3.0, 2.0, 1.0, 4.0], np.float32), np.array([1.0, 2.0, 4.0, 3.0], np.float32)
work = float(losses.earth_movers_distance(p, q))
print("pushed over each edge:", np.abs(np.cumsum(p - q)), "in all:", work)

assert work == 5

# %% [markdown]
# ## Why not the divergence of the first GAN?
#
# Against a perfect discriminator the generator minimises the Jensen-Shannon divergence. Put all of $p$ at 0 and
# all of $q$ at $\theta$. As long as they do not meet, the divergence is $\log 2$: near or far is the same, and
# its slope is 0.


# %%
places = np.eye(21, dtype=np.float32)  # row i: all mass in bin i
shifts = np.arange(-10, 11)
divergences = [float(losses.jensen_shannon_divergence(places[10], places[10 + shift])) for shift in shifts]
distances = [float(losses.earth_movers_distance(places[10], places[10 + shift])) for shift in shifts]
figure, axes = plt.subplots(1, 2, figsize=(13, 4.4))
axes[0].plot(shifts, divergences, "o-", lw=2)
axes[0].set(title="Jensen-Shannon divergence", xlabel="shift")
axes[1].plot(shifts, distances, "o-", lw=2, color="tab:green")
axes[1].set(title="earth mover's distance", xlabel="shift")

assert np.allclose(np.delete(divergences, 10), np.log(2))
assert distances == list(abs(shifts))

# %% [markdown]
# ## A network that computes it
#
# The dual of Kantorovich and Rubinstein: the distance is a maximum over all functions with slope at most 1,
#
# $$W(p, q) = \max_{\lVert f \rVert_L \le 1}\; \mathbb E_p[f(x)] - \mathbb E_q[f(y)] .$$
#
# So train a critic $f$ and keep its slope bounded. We keep the fakes fixed for now: a Gaussian blob in the middle
# of a ring of eight modes. Between 500 points of each the exact distance is an assignment problem.

# %%
real = data.load("ring8").images[:]
fake = (0.3 * np.random.default_rng(0).normal(size=real.shape)).astype(np.float32)


def exact_distance(x, y, num=500):
    """W between the first points of each."""
    costs = cdist(x[:num], y[:num])
    return float(costs[linear_sum_assignment(costs)].mean())


truth = exact_distance(real, fake)
print(f"exact distance: {truth:.2f}")

# %% [markdown]
# Two ways to bound the slope:
#
# * **Clipping** (WGAN): after each step, cut every weight to $[-c, c]$.
# * **Penalty** (WGAN-GP): add $\lambda\,\mathbb E\big(\lVert\nabla f(\hat x)\rVert_2 - 1\big)^2$ at points $\hat
#   x = \varepsilon x + (1 - \varepsilon) y$ between real and fake, $\varepsilon$ *uniform*, one for each pair.

# %%
CRITIC = MLP((64, 64))
PLANE = {"image_shape": (2,), "value_range": None, "generator": MLP((64, 64)), "critic": CRITIC}


def fit(model, config, num_steps=2000, batch_size=128):
    """A critic alone, trained on real points against the fixed fakes."""

    def step(critic, inputs):
        critic, metrics = descend(critic, functools.partial(model.critic_loss, config), (*inputs, Mode()))
        if model is wgan:
            critic = critic.replace(params=losses.clip_weights(critic.params, config.clip))
        return critic, metrics

    order = np.random.default_rng(0)
    inputs = [points[order.integers(len(points), size=(num_steps, batch_size))] for points in (real, fake)]
    if model is wgan_gp:
        inputs.append(order.uniform(size=(num_steps, batch_size)).astype(np.float32))  # epsilon
    start = model.init(config, jax.random.key(0)).critic
    params = jax.jit(functools.partial(jax.lax.scan, step))(start, inputs)[0].params
    return params, lambda points: CRITIC.apply({"params": params}, points, ())


rmsprop, adam = Optimizer(1e-3, RMSProp()), Optimizer(1e-3, Adam(b1=0.5, b2=0.9))
critics = {
    "c = 0.05": fit(wgan, wgan.Config(clip=0.05, critic_optimizer=rmsprop, **PLANE)),
    "c = 0.2": fit(wgan, wgan.Config(clip=0.2, critic_optimizer=rmsprop, **PLANE)),
    "penalty": fit(wgan_gp, wgan_gp.Config(penalty_weight=10.0, critic_optimizer=adam, **PLANE)),
}

# %% [markdown]
# ## What the critics say

# %%
estimates = {name: float(f(real[:5000]).mean() - f(fake[:5000]).mean()) for name, (_, f) in critics.items()}
for name, estimate in estimates.items():
    print(f"{name:9} {estimate:7.3f}")
print(f"{'exact':9} {truth:7.3f}")

assert estimates["c = 0.2"] > 4 * estimates["c = 0.05"]  # clipped critics measure in a unit of their own;
assert abs(estimates["penalty"] / truth - 1) < 0.25  # the penalty's is nearly the distance

# %% [markdown]
# **Observe.** With three layers of weights the slope of a clipped critic grows like $c^3$: its estimate is an
# unknown multiple of the distance, comparable within one run alone. (Some slides say that clipping gives the
# distance.) The penalty is a soft bound, and its estimate a little too large.
#
# ## What happens to the weights

# %%
figure, axes = plt.subplots(1, 2, figsize=(13, 4.4))
at_bound = {}
for ax, name in zip(axes, ("c = 0.2", "penalty"), strict=True):
    kernels = np.concatenate([layer["kernel"].ravel() for layer in critics[name][0].values()])
    ax.hist(kernels, bins=60)
    ax.set(title=f"weights of the critic: {name}")
    ax.locator_params(axis="x", nbins=5)
    at_bound[name] = float((np.abs(kernels) > 0.1999).mean()) if name.startswith("c") else 0.0
print(f"clipped: {at_bound['c = 0.2']:.0%} of the weights lie at a bound")

assert at_bound["c = 0.2"] > 0.5

# %% [markdown]
# Most weights want more slope than they may have and end at a bound. A network whose weights are all $\pm c$ can
# hardly bend. The slopes on the way from fakes to real points:

# %%
between = losses.interpolate(real[:2000], fake[:2000], np.random.default_rng(1).uniform(size=2000).astype(np.float32))
slopes = {name: np.asarray(losses.safe_norm(losses.slopes(f, between))) for name, (_, f) in critics.items()}
figure, axes = plt.subplots(1, 3, figsize=(14, 4.4))
for ax, (name, found) in zip(axes, slopes.items(), strict=True):
    ax.hist(found, bins=40)
    ax.axvline(1, color="k", ls="--")
    ax.set(title=f"slopes: {name}", xlim=(0, None))
    print(f"{name:9} mean slope {found.mean():.3f}, deviation over mean {found.std() / found.mean():.2f}")

spreads = {name: found.std() / found.mean() for name, found in slopes.items()}
assert abs(slopes["penalty"].mean() - 1) < 0.15  # the penalty's slopes are near 1,
assert spreads["penalty"] < 0.5 * min(spreads["c = 0.05"], spreads["c = 0.2"])  # and alike all over the plane

# %% [markdown]
# The landscapes that the generator would climb, each in units of its own:

# %%
axis = np.linspace(-2, 2, 100, dtype=np.float32)
square = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
figure, axes = plt.subplots(1, 2, figsize=(13, 6.2))
for ax, name in zip(axes, ("c = 0.2", "penalty"), strict=True):
    ax.contourf(axis, axis, np.asarray(critics[name][1](square)).reshape(100, 100), 16, cmap="cividis")
    ax.plot(*real[:600].T, ".", ms=4, color="tab:orange")
    ax.plot(*fake[:300].T, ".", ms=3, color="white")
    ax.set(aspect="equal", title=f"critic: {name}", xticks=[], yticks=[])

# %% [markdown]
# ## The whole game
#
# Now the generator moves too: five steps of the critic, one of the generator.


# %%
def near(samples):
    """Share of the samples within ten standard deviations of a mode, and the number of modes with at least 1 %."""
    found = mode_coverage(samples, toys.ring8_centres().astype(np.float32), toys.RING8_DEVIATION, within=10.0)
    return float(found.high_quality), int((found.counts >= len(samples) / 100).sum())


def train(model, config, num_steps=2000, batch_size=128, seed=0):
    """2,000 samples after training, and the critic's estimate after every update."""
    state, curve = model.init(config, jax.random.key(seed)), []
    step, order = parallel.jit(model.update, config, steps=250), np.random.default_rng(seed)
    for keys in jax.random.split(jax.random.key(seed + 1), (num_steps // 250, 250)):
        batches = real[order.integers(len(real), size=(250, batch_size * config.minibatches))]
        state, metrics = step(state, batches, keys)
        curve.append(metrics["wasserstein_estimate"])
    return np.asarray(model.sample(config, state, jax.random.key(2), 2000)), np.concatenate(curve)


clipped = wgan.Config(
    prior=Normal(8),
    clip=0.1,
    generator_optimizer=Optimizer(5e-4, RMSProp(), schedule=LinearDecay(2000)),
    critic_optimizer=Optimizer(5e-4, RMSProp(), schedule=LinearDecay(5 * 2000)),
    **PLANE,
)
rates = Adam(b1=0.5, b2=0.9)
penalised = wgan_gp.Config(
    latent_dim=8,
    penalty_weight=0.1,
    generator_optimizer=Optimizer(2e-3, rates, schedule=LinearDecay(2000)),
    critic_optimizer=Optimizer(2e-3, rates, schedule=LinearDecay(5 * 2000)),
    average=Exponential(0.99),
    **PLANE,
)
games = {"clipping": train(wgan, clipped), "penalty": train(wgan_gp, penalised)}

figure, axes = plt.subplots(1, 2, figsize=(13, 6.4))
for ax, (name, (samples, _)) in zip(axes, games.items(), strict=True):
    share, modes = near(samples)
    ax.plot(*toys.ring8_centres().T, "o", ms=30, mfc="none", mec="tab:orange", mew=2)
    ax.plot(*samples.T, ".", ms=3, color="tab:blue")
    ax.set(
        xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), xticks=[], yticks=[], title=f"{name}: {modes} modes, {share:.0%} near one"
    )

assert near(games["penalty"][0])[1] == 8
assert near(games["penalty"][0])[0] > near(games["clipping"][0])[0]  # at the same number of updates

# %% [markdown]
# ## A loss that can be read
#
# The scores of a GAN's discriminator say who is ahead. The critic's estimate says how far the fakes are from the
# data: after the first updates, in which the critic has yet to catch up, it falls as samples improve.

# %%
estimate = games["penalty"][1]
figure, ax = plt.subplots(figsize=(12, 4.4))
ax.plot(estimate, lw=1)
ax.set(xlabel="updates of the generator", title="WGAN-GP: the critic's estimate of the distance", ylim=(0, None))

assert estimate[-200:].mean() < 0.5 * estimate[200:400].mean()

# %% [markdown]
# ## Exercises
#
# 1. Draw $\varepsilon$ from $N(0, 1)$ instead, as a notebook on the web does. Where are the points $\hat x$ then,
#    and what do the slopes between real and fake become?
# 2. Fit critics with $c$ from 0.01 to 0.3 and plot the estimate over $c$, both axes logarithmic. Read the
#    exponent.
# 3. `one_sided=True` penalises only slopes above 1. Does the estimate change? Is it still a distance?
