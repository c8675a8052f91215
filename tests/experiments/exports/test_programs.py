"""Programs of every ability, for any number of examples where that can be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.exports import folder, programs
from experiments.models import abilities
from experiments.runs import experiment
from experiments.runs.experiment import Experiment, model_of
from jaxgen.gans import gan
from tests.experiments import small_runs
from tests.experiments.exports import exporting


def blank_state(config):
    """Zeros that take no memory."""
    shapes = jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    return jax.tree.map(lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape), shapes)


def names_of(config):
    return [program.name for program in programs.all_of(Experiment(model=config), blank_state(config))]


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (small_runs.GAN, ["sampler", "decoder"]),
        (small_runs.WIDE, ["sampler", "decoder", "encoder"]),
        (small_runs.SYMBOLS, ["sampler", "reconstructor"]),
    ],
)
def test_a_model_has_a_program_for_each_of_its_abilities(config, names):
    assert names_of(config) == names


def test_a_reconstructor_gives_what_the_model_reconstructs():
    config = small_runs.SYMBOLS
    state = model_of(config).init(config, jax.random.key(0))
    made = [*programs.all_of(Experiment(model=config), state)][-1]
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    with exporting.unchecked():
        images = programs.exported(made).call(pixels)
    wanted = abilities.reconstruction(config)(state, pixels, None)
    np.testing.assert_allclose(np.asarray(images, int), wanted.astype(int), atol=1)


def test_points_are_drawn_as_floats():
    config = gan.Config(image_shape=(2,), value_range=None, generator=small_runs.NET, discriminator=small_runs.NET)
    state = model_of(config).init(config, jax.random.key(0))
    sampler, _ = programs.all_of(Experiment(model=config), state)
    with exporting.unchecked():
        points = programs.exported(sampler).call(np.uint32(0), np.arange(5, dtype=np.int32))
    assert points.shape == (5, 2) and points.dtype == np.float32


def program_of(function):
    return programs.Program("mine", "values", function, (("inputs", ("num", 2, 2), np.float32),))


def test_a_function_that_needs_the_number_is_exported_for_a_fixed_one():
    program = program_of(lambda inputs: inputs.reshape(len(inputs), -1) * 2.0)
    made = programs.exported(program)
    assert programs.num_of(made) == programs.FIXED and made.platforms == programs.PLATFORMS
    assert np.asarray(made.call(np.ones((programs.FIXED, 2, 2), np.float32))).tolist() == [[2.0] * 4] * programs.FIXED
    assert [*folder._limits(program, made)] == [
        "mine.jax takes 16 examples, no more and no fewer: the model's code needs a number"
    ]


def test_an_operation_that_a_platform_lacks_leaves_the_platform_of_the_export():
    program = program_of(lambda inputs: jnp.linalg.eigvals(inputs).real)
    made = programs.exported(program)
    assert programs.num_of(made) is None and made.platforms == ("cpu",)
    assert [*folder._limits(program, made)] == [
        "mine.jax runs on cpu alone: elsewhere one of its operations is missing"
    ]


def test_a_fault_of_the_function_itself_is_not_hidden():
    with pytest.raises(TypeError, match="unsupported operand"):
        programs.exported(program_of(lambda inputs: inputs + "mine"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", experiment.names())
def test_the_programs_of_every_experiment_take_any_number(name):
    chosen = experiment.load(name)
    num = jax.export.symbolic_shape("num")[0]
    with exporting.unchecked():
        state = jax.tree.map(jnp.asarray, blank_state(chosen.model))  # a tracer is no index of NumPy's arrays
        for program in programs.all_of(chosen, state):
            shapes = [
                jax.ShapeDtypeStruct(tuple(num if size == "num" else size for size in shape), dtype)
                for _, shape, dtype in program.arguments
            ]
            out = jax.jit(program.function).trace(*shapes).out_info
            assert out.shape[0] == num, program.name
