import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.unet.classifier import AttentionPool, NoisyClassifier, num_heads
from tests.nets.parameters import zeros
from tests.nets.unet.networks import IMAGES, TIMES, init, names, parameters

SMALL = NoisyClassifier(8, (1, 2), 1, (4,), head_features=8, dropout=0.5)


def test_the_parameter_count_is_that_of_the_code_for_64x64():
    assert parameters(NoisyClassifier(), (64, 64, 3), None, (1000,)) == 65_438_568


@pytest.mark.exhaustive
@pytest.mark.parametrize("pool", ["attention", "mean"])
def test_images_are_classified_by_themselves_each_with_its_time(pool):
    net, order = SMALL.clone(pool=pool), jnp.array([2, 0, 1])
    variables = init(net, IMAGES, TIMES, (5,))
    classify = jax.jit(lambda *inputs: net.apply(variables, *inputs, (5,)))
    logits = classify(IMAGES, TIMES)
    assert logits.shape == (3, 5) and logits.dtype == jnp.float32
    np.testing.assert_allclose(classify(IMAGES[order], TIMES[order]), logits[order], atol=1e-5)
    assert np.abs(classify(IMAGES, TIMES[order]) - logits).max(1).min() > 1e-3
    half = jax.jit(lambda: net.clone(dtype="bfloat16").apply(variables, IMAGES, TIMES, (5,)))()
    assert half.dtype == jnp.float32
    assert 1e-5 < np.abs(half - logits).max() < 0.1 * np.abs(logits).max()


@pytest.mark.exhaustive
def test_blocks_computed_again_give_the_same_values_and_gradients():
    small = SMALL.clone(multipliers=(1,), attention=())
    variables = init(small, IMAGES, TIMES, (5,))
    mode = Mode(jax.random.split(jax.random.key(2), 3), train=True)

    def loss(net, images):
        return (net.apply(variables, images, TIMES, (5,), mode=mode) ** 2).sum()

    plain, again = (
        jax.jit(jax.value_and_grad(lambda images, net=net: loss(net, images)))(IMAGES)
        for net in (small, small.clone(remat=True))
    )
    np.testing.assert_allclose(again[0], plain[0], rtol=1e-5)
    np.testing.assert_allclose(again[1], plain[1], rtol=1e-3, atol=1e-5)


def test_dropout_in_training_needs_keys():
    with pytest.raises(ValueError, match="this pass has no keys"):
        jax.eval_shape(lambda: SMALL.init(jax.random.key(0), IMAGES, TIMES, (5,), mode=Mode(train=True)))


def test_attention_stands_where_it_is_asked_for_and_in_the_middle():
    for attention, wanted in (((), set()), ((8,), {"down_0_0"}), ((4,), {"down_1_0"})):
        found = names(SMALL.clone(attention=attention), IMAGES, TIMES, (5,))
        assert {name for name in found if name.endswith("_attention")} == {
            f"{name}_attention" for name in wanted | {"middle_0"}
        }


def test_the_pool_is_attention_of_the_mean_to_itself_and_to_all_places():
    net, maps = AttentionPool(5, 2), jax.random.normal(jax.random.key(0), (1, 2, 3, 8))
    variables = init(net, maps)
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    places = np.asarray(maps, np.float64).reshape(6, 8)
    tokens = np.concatenate([places.mean(0, keepdims=True), places]) + params["positions"]

    def dense(name, inputs):
        return inputs @ params[name]["kernel"] + params[name]["bias"]

    queries, keys, values = (dense(name, tokens) for name in ("queries", "keys", "values"))
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        weights = np.exp(keys[:, head] @ queries[0, head] / 2)
        heads.append(weights / weights.sum() @ values[:, head])
    np.testing.assert_allclose(net.apply(variables, maps)[0], dense("outputs", np.concatenate(heads)), atol=1e-5)
    assert {name: leaf["kernel"].shape for name, leaf in params.items() if name != "positions"} == {
        "queries": (8, 8),
        "keys": (8, 8),
        "values": (8, 8),
        "outputs": (8, 5),
    }


def test_heads_have_the_number_of_features_that_is_asked_for():
    assert num_heads(128, 64) == 2
    with pytest.raises(ValueError, match="head_features is 64, but must be a divisor of 96 channels"):
        num_heads(96, 64)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pool": "max"}, "pool is max, but must be attention or mean"),
        ({"blocks": 0}, "blocks is 0, but must be at least 1"),
        ({"attention": (16,)}, r"attention is \(16,\), but must be some of \(8, 4\)"),
        ({"multipliers": (1, 1, 1, 1)}, "size of images is 8x4, but must be a multiple of 8x8 for 4 sizes"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        parameters(SMALL.clone(**settings), (8, 4, 2), None, (5,))


def test_scores_of_one_number_and_maps_of_logits():
    outputs = jax.eval_shape(lambda: SMALL.init_with_output(jax.random.key(0), zeros(8, 4, 2), jnp.zeros(1), ())[0])
    assert outputs.shape == (1,)
