"""Laws of the whole family, a row for each model."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans import ac_wgan_gp, acgan, cgan, gan, infogan, r3gan, unrolled_gan, wgan, wgan_gp
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.drawn_penalties import Divergence, Perturbed
from jaxgen.gans.objectives import NonSaturating, Relativistic
from jaxgen.gans.regularization import Consistency, LeCam, Regularization, Slope
from jaxgen.gans.top_k import TopK
from jaxgen.mode import EVALUATION
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.initializers import Uniform as UniformWeights
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import apply
from tests import contract
from tests.gans.games import assert_close, compiled, training

IMAGES = {"image_shape": (2, 2, 1), "value_range": (-1.0, 1.0)}
GENERATOR, CRITIC = MLP((4,), norm="batch"), MLP((4,), negative_slope=0.2)
FIXED = Optimizer(1e-30, SGD())
NORMALIZED = MLP((4,), norm="batch", negative_slope=0.2)
UNCONDITIONAL = {"prior": Normal(2), "generator": GENERATOR}
CONDITIONAL = {"prior": Normal(2), "num_classes": 3, "generator": ConcatCondition(GENERATOR)}
CASES = {
    gan: UNCONDITIONAL | {"discriminator": NORMALIZED, "discriminator_steps": 2},
    cgan: CONDITIONAL | {"discriminator": ConcatCondition(NORMALIZED)},
    acgan: CONDITIONAL | {"discriminator": NORMALIZED},
    infogan: {"noise": Normal(2), "generator": GENERATOR, "discriminator": NORMALIZED},
    unrolled_gan: UNCONDITIONAL | {"discriminator": NORMALIZED, "unrolled_steps": 1},
    wgan: UNCONDITIONAL | {"critic": NORMALIZED, "critic_steps": 2},
    wgan_gp: {"latent_dim": 2, "generator": GENERATOR, "critic": CRITIC, "critic_steps": 2},
    ac_wgan_gp: CONDITIONAL | {"critic": CRITIC, "critic_steps": 2},
    r3gan: CONDITIONAL | {"discriminator": ConcatCondition(CRITIC)},
}
NETWORKS = {model: ConcatCondition(CRITIC) if model is cgan else CRITIC for model in CASES}
CONFIGS = {model: contract.with_sgd(model.Config(**IMAGES | settings), 0.1) for model, settings in CASES.items()}
REAL = jax.random.uniform(jax.random.key(1), (8, 2, 2, 1), minval=-1.0)
LABELS = jnp.arange(8, dtype=jnp.int32) % 3
KEY = jax.random.key(2)


def name_of(value):
    return value.__name__.rpartition(".")[2] if hasattr(value, "__name__") else None


every_model = pytest.mark.parametrize("model", CONFIGS, ids=name_of)


def batch_for(config, num=8):
    return REAL[:num] if config.batch_type is None else Labelled(REAL[:num], LABELS[:num])


def updated(model, config, batch=None):
    state = jax.jit(lambda key: model.init(config, key))(jax.random.key(0))
    return state, *compiled(model.update, config)(state, batch_for(config) if batch is None else batch, KEY)


@functools.cache
def first_update(model):
    """The state before the first update of the model's config, the state after it, and metrics."""
    return updated(model, CONFIGS[model])


@pytest.mark.parametrize(
    ("objective", "changes"),
    [(Relativistic(), True), pytest.param(NonSaturating(), False, marks=pytest.mark.exhaustive)],
    ids=["relativistic", "non-saturating"],
)
@pytest.mark.parametrize(
    "model",
    [gan, acgan, *(pytest.param(model, marks=pytest.mark.exhaustive) for model in (cgan, infogan))],
    ids=name_of,
)
def test_real_and_fake_in_one_batch_change_the_loss_of_a_relativistic_generator_alone(model, objective, changes):
    """The opponent does not move and scores with statistics of the batch at hand: in training, joint or apart.

    Another objective shows the generator's step fakes alone, which are normalised among themselves either way.
    """

    def loss(joint):
        settings = {"objective": objective, "discrimination": Discrimination(joint=joint)}
        optimizers = {"discriminator_optimizer": FIXED, "generator_optimizer": FIXED}
        return updated(model, dataclasses.replace(CONFIGS[model], **settings, **optimizers))[2]["generator_loss"]

    assert (abs(float(loss(True) - loss(False))) > 1e-4) == changes


ADVERSARIES = {"discriminator_loss", "real_certainty", "fake_certainty", "gradient_norm/discriminator"}
ADVERSARIES |= {"generator_loss", "gradient_norm/generator", "diversity"}
CRITICS = {"critic_loss", "wasserstein_estimate", "gradient_norm/critic"}
CRITICS |= {"generator_loss", "gradient_norm/generator", "diversity"}
CLASSIFIED = {"class_loss", "accuracy", "fake_accuracy"}
LOGGED = {
    gan: ADVERSARIES,
    cgan: ADVERSARIES,
    acgan: ADVERSARIES | CLASSIFIED,
    infogan: ADVERSARIES | {"categorical_information", "continuous_information"},
    unrolled_gan: ADVERSARIES,
    wgan: CRITICS,
    wgan_gp: CRITICS | {"gradient_penalty"},
    ac_wgan_gp: CRITICS | {"gradient_penalty"} | CLASSIFIED,
    r3gan: ADVERSARIES | {"r1", "r2"},
}


@pytest.mark.exhaustive
@every_model
def test_diversity_is_of_the_discriminators_first_minibatch_of_fakes(model):
    """Made before either player has moved, from the latents of the discriminator's step; beside it all is logged."""
    config = CONFIGS[model]
    state, _, metrics = first_update(model)
    assert metrics.keys() == LOGGED[model]
    key = (
        KEY if model is unrolled_gan else jax.random.split(KEY, {wgan_gp: 5, ac_wgan_gp: 6, r3gan: 2}.get(model, 4))[0]
    )
    k = config.minibatches
    conditions = () if config.batch_type is None else (one_hot(LABELS[::k], 3),)
    latents = config.prior.draw(key, 8)[::k]
    fake, _ = model.generate(config, state.generator.variables, latents, *conditions, mode=training(KEY, 8 // k))
    assert metrics["diversity"] == pytest.approx(float(diversity(REAL[::k], fake)["diversity"]), rel=1e-4)


@every_model
def test_samples_come_from_the_moving_average_where_there_is_one(model):
    state, *_ = first_update(model)
    if "average" not in {field.name for field in dataclasses.fields(model.Config)}:
        assert not hasattr(state, "ema")
        return
    zeros = jax.tree.map(jnp.zeros_like, state.ema)
    images = model.sample(CONFIGS[model], state._replace(ema=zeros), KEY, 3)
    np.testing.assert_allclose(images, np.zeros((3, 2, 2, 1)), atol=1e-6)  # tanh(0)
    assert np.abs(model.sample(CONFIGS[model], state, KEY, 3)).max() > 0.01


@pytest.mark.parametrize(
    "model",
    [gan, *(pytest.param(model, marks=pytest.mark.exhaustive) for model in CONFIGS if model is not gan)],
    ids=name_of,
)
def test_a_generator_with_dropout_trains_otherwise_than_one_without(model):
    """In every model both players' steps see its masks, each example its own."""

    def dropped(rate):
        net = Maxout((4,), 2, 0.0, rate, UniformWeights(0.5))
        generator = ConcatCondition(net) if CONFIGS[model].batch_type is Labelled else net
        return dataclasses.replace(CONFIGS[model], generator=generator)

    (_, with_dropout, _), (_, without, _) = (updated(model, dropped(rate)) for rate in (0.5, 0.0))
    players = contract.players(without)
    assert len(players) == 2
    for name, player in contract.players(with_dropout).items():
        assert contract.differs(player.params, players[name].params), name


def first_outputs(model, state, condition):
    """Of the opponent's network: the score, before Q's outputs or the logits of classes."""
    name = opponent_of(model)
    net, player = getattr(CONFIGS[model], name), getattr(state, name)
    shape = {acgan: (4,), infogan: (15,), ac_wgan_gp: (4,)}.get(model, ())
    inputs = (REAL, one_hot(condition, 3), shape) if model in (cgan, r3gan) else (REAL, shape)
    return apply(net, player.variables, *inputs)[0].reshape(8, -1)[:, 0]


@every_model
def test_scores_are_one_for_each_example_and_do_not_depend_on_its_neighbours(model):
    """Out of training, statistics are the running ones, with which `--pictures level_sets` draws its curves."""
    state, *_ = first_update(model)
    condition = LABELS if CONFIGS[model].batch_type is Labelled else None
    scores = model.discriminate(CONFIGS[model], state, REAL, condition)
    np.testing.assert_allclose(scores, first_outputs(model, state, condition), atol=1e-6)
    alone = model.discriminate(CONFIGS[model], state, REAL[:1], None if condition is None else condition[:1])
    assert scores.shape == (8,)
    np.testing.assert_allclose(alone, scores[:1], atol=1e-6)


class Recorder(nn.Module):
    """A network that keeps the keys of its examples in training, the latest first."""

    net: nn.Module

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        seen = self.variable("seen", "keys", jnp.zeros, (64, 2), jnp.uint32)
        if mode.train and not self.is_initializing():
            keys = jax.random.key_data(mode.example_keys("a recorder"))
            seen.value = jnp.concatenate([keys, seen.value])[: len(seen.value)]
        return self.net(inputs, output_shape, mode=mode)


def opponent_of(model):
    return "critic" if hasattr(CONFIGS[model], "critic") else "discriminator"


def of_steps(model, steps):
    """A linear discriminator with spectral vectors, momentum and, where the model has it, batch normalisation."""
    name = opponent_of(model)
    net = Recorder(Spectral(getattr(CONFIGS[model], name).clone(negative_slope=1.0)))
    changes = {name: net, f"{name}_steps": steps, f"{name}_optimizer": Optimizer(0.1, SGD(momentum=0.5))}
    return dataclasses.replace(CONFIGS[model], generator_optimizer=FIXED, **changes)


def kept_by(player):
    """All that the next step is to find, but the recorded keys."""
    others = {name: tree for name, tree in player.collections.items() if name != "seen"}
    return {"params": player.params, "momentum": player.opt_state, **others}


several_steps = pytest.mark.parametrize(  # by default one with batch statistics and one with a penalty
    "model",
    [
        model if model in (gan, wgan_gp) else pytest.param(model, marks=pytest.mark.exhaustive)
        for model, config in CONFIGS.items()
        if config.minibatches > 1 and model is not r3gan  # whose second minibatch is the generator's
    ],
    ids=name_of,
)


@several_steps
def test_k_discriminator_steps_of_an_update_are_k_updates_of_one_step(model):
    """What a step leaves reaches the next: params, optimiser's state, batch statistics, spectral vectors.

    No key counts: a generator without weights gives one image whatever its latents, a linear discriminator has one
    slope at all points. The generator is put back after each update.
    """
    name, config, one = opponent_of(model), of_steps(model, 2), of_steps(model, 1)
    state = jax.jit(lambda key: model.init(config, key))(jax.random.key(0))
    generator = state.generator.replace(params=jax.tree.map(jnp.zeros_like, state.generator.params))
    state, batch = state._replace(generator=generator), batch_for(config)
    found, wanted = compiled(model.update, config)(state, batch, KEY)[0], state
    for step in range(2):
        part = jax.tree.map(lambda leaf, step=step: leaf[step::2], batch)
        wanted, _ = compiled(model.update, one)(wanted._replace(generator=generator), part, jax.random.key(step))
    before, found, wanted = (kept_by(getattr(each, name)) for each in (state, found, wanted))
    assert found.keys() >= {"params", "momentum", "spectral"} | ({"batch_stats"} if model in (gan, wgan) else set())
    assert_close(found, wanted, atol=1e-5)
    assert all(contract.differs(before[part], found[part]) for part in found)


@several_steps
def test_each_example_of_each_discriminator_step_has_keys_of_its_own(model):
    """Two steps on four real examples and four fakes: sixteen keys."""
    _, state, _ = updated(model, of_steps(model, 2))
    seen = np.asarray(getattr(state, opponent_of(model)).collections["seen"]["keys"])
    assert (seen[:16] > 0).any(axis=1).all() and not seen[16:].any()
    assert len(np.unique(seen[:16], axis=0)) == 16


TERMS = {  # a term, and what it has in the metrics
    "consistency": Regularization(consistency=Consistency(real=10.0, fake=5.0)),
    "lecam": Regularization(lecam=LeCam(0.3, one_sided=False)),
    "r1": Regularization(r1=Slope(10.0)),
    "r2": Regularization(r2=Slope(10.0)),
    "perturbed": Regularization(perturbed=Perturbed(10.0)),
    "divergence": Regularization(divergence=Divergence(2.0, power=3.0)),
    "top_k": Regularization(top_k=TopK(gamma=0.5, every=1)),
}
ALL = Regularization(**{name: getattr(term, name) for name, term in TERMS.items()})
AT_REST = {  # an opponent without batch statistics; nothing moves; these two have no terms of this kind
    model: {"generator_optimizer": FIXED, f"{name}_optimizer": FIXED, name: NETWORKS[model]}
    for model, name in ((model, opponent_of(model)) for model in CONFIGS if model not in (unrolled_gan, r3gan))
}


def measured(model, regularization):
    """The metrics of update 1 of players that do not move."""
    config = dataclasses.replace(CONFIGS[model], regularization=regularization, **AT_REST[model])
    state = jax.jit(lambda key: model.init(config, key))(jax.random.key(0))
    state = state._replace(generator=state.generator.replace(step=state.generator.step + 1))
    return jax.device_get(compiled(model.update, config)(state, batch_for(config), KEY)[1])


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (model, "all") if model is acgan else pytest.param(model, name, marks=pytest.mark.exhaustive)
        for model in AT_REST
        for name in ("all", *TERMS)
        if model is not acgan or name == "all"
    ],
    ids=name_of,
)
def test_a_term_changes_its_own_players_loss_and_nothing_else(model, name):
    """Its gradient for the opponent, or the generator's loss, and what sums them; not the fakes, nor other metrics."""
    found, plain = measured(model, ALL if name == "all" else TERMS[name]), measured(model, Regularization())
    opponent = opponent_of(model)
    own = set(TERMS) - {"top_k"} if name == "all" else {name} - {"top_k"}
    assert found.keys() - plain.keys() == own
    assert all(found[each] > 0 for each in own)
    changed = {f"gradient_norm/{opponent}"} | {"critic_loss"} & plain.keys() if own else set()
    changed |= {"generator_loss", "gradient_norm/generator"} if name in ("all", "top_k") else set()
    assert {each for each in plain if abs(found[each] - plain[each]) > 1e-5} == changed
    if "critic_loss" in changed:
        assert found["critic_loss"] - plain["critic_loss"] == pytest.approx(sum(found[each] for each in own), rel=1e-3)
