"""Each way of breaking a line does what its name says."""

import pytest

from tests.mutations.mutants import mutants_of


def changes(source: str) -> dict[str, str]:
    """Texts by change."""
    return {mutant.change: mutant.source for mutant in mutants_of("example", source)}


def test_kinds_of_mutations_of_a_formula():
    source = '''
from jaxgen.losses._arrays import per_example
from jax.lax import stop_gradient

def penalty(real, fake, *, weight=0.5):
    """Docstrings are no formulas: -1."""
    real, fake = per_example(real=real, fake=fake)
    if weight < 0:
        raise ValueError(f"weight {weight - 1}")
    return weight * ((real - stop_gradient(fake)).mean(axis=1) ** 2)
'''
    found = changes(source)
    assert set(found) >= {
        "0.5 -> 1.5 in the defaults",
        "swap (fake, real)",
        "drop the check of per_example",
        "drop the check: if weight < 0",
        "weight < 0 -> weight >= 0",
        "flip the sign of the value",
        "double the value",
        "real - stop_gradient(fake) -> real + stop_gradient(fake)",
        "drop the stop-gradient of fake",
        "axis=1 -> axis=0 in axis=1",
    }
    assert not any("Docstrings" in change or "weight - 1" in change for change in found)


UPDATE = """
class State(NamedTuple):
    generator: TrainState
    critic: TrainState


def update(config, state: State, real: Images, fake: Images, key_a, key_b, *, axis_name=None):
    def step(critic, batch):
        loss = critic_loss(config, critic.params, batch, real, fake, axis_name=axis_name)
        return descend(critic, loss, axis_name, player="critic")

    critic, metrics = jax.lax.scan(step, state.critic, split(real, config.steps))
    metrics = metrics | {"loss": metrics["loss"].mean(), **watch(key_a, key_b, real, fake)}
    return State(state.generator, critic), metrics
"""


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("critic -> state.critic in critic.params", "critic_loss(config, state.critic.params, batch"),
        ("critic -> state.critic in State(state.generator, critic)", "return (State(state.generator, state.critic)"),
        ("None for axis_name in descend(critic, loss, axis_name, player='critic')", "descend(critic, loss, None, "),
        ("drop player= of descend(critic, loss, axis_name, player='critic')", "descend(critic, loss, axis_name)"),
        ("drop axis_name= of critic_loss(config, critic.params, batch, real, fake, axi...", "batch, real, fake)\n"),
        (
            "exchange real and fake in critic_loss(config, critic.params, batch, real, fake, axi...",
            "fake, real, axis",
        ),
        ("drop the item 'loss'", "metrics | {**watch"),
        ("drop the item **watch(key_a, key_b, real, fake)", "metrics | {'loss': metrics['loss'].mean()}\n"),
    ],
)
def test_kinds_of_mutations_of_an_update(change, line):
    found = changes(UPDATE)
    assert change in found, sorted(found)
    assert line in found[change]


def test_keys_are_not_exchanged():
    """Which of two keys draws what is no law."""
    assert not any("watch(key_b, key_a" in text for text in changes(UPDATE).values())


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("hidden = normalize(hidden, train=train)", "drop the normalisation of hidden"),
        ("hidden = nn.relu(hidden)", "drop the step: hidden = nn.relu(hidden)"),
        ("hidden += dense(hidden)", "drop the step: hidden += dense(hidden)"),
        ("require(0 <= rate < 1, 'rate', rate, 'in [0, 1)')", "0 <= rate < 1 -> 0 <= rate <= 1"),
        ("require(0 <= rate < 1, 'rate', rate, 'in [0, 1)')", "drop the call of require"),
        ("hidden = nn.Dense(3, use_bias=False)(hidden)", "drop use_bias= of nn.Dense(3, use_bias=False)"),
        ("hidden = nn.Dense(3, use_bias=False)(hidden)", "use_bias=False -> use_bias=True in use_bias=False"),
        ("hidden = dropout(hidden, 0.1, keys)", "None for keys in dropout(hidden, 0.1, keys)"),
        ("hidden = widest >> level", "widest >> level -> widest"),
        (
            "hidden, variables = net(variables, images)",
            "keep the old variables in hidden, variables = net(variables, images)",
        ),
        ("hidden = jnp.minimum(a, b)", "jnp.minimum(a, b) -> jnp.maximum(a, b)"),
        ("hidden = hidden.max(axis=1)", "hidden.max(axis=1) -> hidden.min(axis=1)"),
        ("hidden = images.shape[0]", "0 -> 1 in images.shape[0]"),
    ],
)
def test_kinds_of_mutations_of_a_network(line, change):
    assert change in changes(f"def call(hidden, train, keys, rate):\n    {line}\n    return hidden\n")


def test_only_what_may_be_a_number_gets_another_sign():
    source = """
def both(x) -> tuple[X, Y]:
    return f(x)

def state(x):
    return State(x)

def one(x):
    return f(x)
"""
    signs = [m.function for m in mutants_of("example", source) if m.change == "flip the sign of the value"]
    assert signs == ["one"]
