import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.code_transformer import CodeTransformer
from tests.nets.parameters import moved

NUM_CODES = 5
NET = CodeTransformer(8, blocks=2, heads=2)
CODES = jax.random.randint(jax.random.key(1), (1, 3, 4), 0, NUM_CODES)


@pytest.fixture(scope="module")
def net():
    variables = moved(jax.jit(lambda: NET.init(jax.random.key(0), CODES, (3, 4, NUM_CODES)))())
    return jax.jit(lambda codes: NET.apply(variables, codes, (3, 4, NUM_CODES)))


def test_logits_at_a_position_depend_on_all_codes_before_it_and_on_no_other(net):
    """Each code in turn is changed, and the logits are compared bit for bit."""
    logits = np.asarray(net(CODES)).reshape(12, NUM_CODES)
    felt = np.zeros((12, 12), bool)  # of the logits at i, of the code at j
    for j in range(12):
        changed = CODES.reshape(-1).at[j].add(1).reshape(CODES.shape) % NUM_CODES
        felt[:, j] = (np.asarray(net(changed)).reshape(12, NUM_CODES) != logits).any(axis=1)
    np.testing.assert_array_equal(felt, np.tril(np.ones((12, 12), bool), -1))


def test_equal_codes_have_other_logits_at_other_positions(net):
    logits = np.asarray(net(jnp.zeros((1, 3, 4), jnp.int32))).reshape(12, NUM_CODES)
    assert len(np.unique(logits.round(4), axis=0)) == 12


def test_the_authors_network_for_faces_has_its_number_of_parameters():
    """Tokens, positions and the start; blocks of 12 width^2 + 13 width with their norms; a norm; the logits."""
    net = CodeTransformer(1024, 24, 16)
    codes = jnp.zeros((1, 16, 16), jnp.int32)
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), codes, (16, 16, 1024)))
    found = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert found == 1024 * 1024 + 257 * 1024 + 24 * (12 * 1024**2 + 13 * 1024) + 2 * 1024 + 1024 * 1024


def test_dropout_is_of_training_alone():
    net = CodeTransformer(8, blocks=1, heads=2, dropout=0.5)
    variables = moved(net.init(jax.random.key(0), CODES, (3, 4, NUM_CODES)))
    keys = jax.random.split(jax.random.key(2), 1)
    plain, dropped = (
        net.apply(variables, CODES, (3, 4, NUM_CODES), mode=mode) for mode in (Mode(), Mode(train=True, keys=keys))
    )
    assert jnp.abs(plain - dropped).max() > 1e-3


@pytest.mark.parametrize(
    ("net", "shape", "message"),
    [
        (CodeTransformer(8), (4, 3, 5), r"output_shape is .*, but must be \(rows, columns, codes\)"),
        (CodeTransformer(8, blocks=0), (3, 4, 5), "blocks is 0, but must be at least 1"),
        (CodeTransformer(8, heads=3), (3, 4, 5), "heads is 3, but must be a divisor of the width 8"),
    ],
)
def test_settings_that_do_not_fit_are_refused(net, shape, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), CODES, shape))
