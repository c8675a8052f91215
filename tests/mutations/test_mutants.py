"""The mutation check reaches every file, and its excuses are of mutations that exist."""

import collections

import pytest

from jaxgen import losses
from tests.mutations.equivalent import ALL, REASONS, SYMMETRIC, reason_of
from tests.mutations.library import library
from tests.mutations.mutants import mutants_of

WITHOUT = {"__main__", "abilities", "typing"}  # a message, protocols, and annotations alone
QUICK = {module for module in library() if module.startswith("losses.")} | {"train_state", "gans.gan", "nets.norm"}


@pytest.fixture(scope="module")
def mutants():
    """Of the formulas, of one file of each kind, and of those that have excuses."""
    excused = {formula.rpartition(".")[0] for formula, _ in REASONS}
    modules = {m for m in library() if m in QUICK or any(f"{e}.".startswith(f"{m}.") for e in excused)}
    return [mutant for module in modules for mutant in mutants_of(module, library()[module].read_text("utf-8"))]


def test_every_public_formula_has_several_mutations(mutants):
    counts = collections.Counter(mutant.function for mutant in mutants)
    assert all(counts[name] >= 3 for name in losses.__all__), counts


def test_every_file_of_the_library_is_mutated():
    still = {
        module for module, path in library().items() if next(mutants_of(module, path.read_text("utf-8")), None) is None
    }
    assert still == WITHOUT


def test_mutations_of_a_formula_have_different_names_and_texts(mutants):
    names = collections.Counter((mutant.formula, mutant.change) for mutant in mutants)
    texts = collections.Counter((mutant.module, mutant.source) for mutant in mutants)
    assert max(names.values()) == max(texts.values()) == 1


@pytest.mark.exhaustive
def test_every_mutant_is_a_program(mutants):
    for mutant in mutants:
        compile(mutant.source, mutant.formula, "exec")


def test_every_excuse_is_of_a_mutation_that_exists(mutants):
    known = {(mutant.formula, change) for mutant in mutants for change in (mutant.change, ALL)}
    assert set(REASONS) <= known


def test_methods_fields_and_constants_are_mutated_docstrings_and_annotations_are_not():
    source = '''
"""Of 3 lines."""

LIMIT: int = 4
SIZES = (5, 6)
Alias: TypeAlias = Literal[7]


class Net(nn.Module):
    """With 8 units."""

    units: Literal[9, 10] = 10

    @property
    def drops(self) -> bool:
        """Whether 11."""
        return self.units > 12

    @nn.compact
    def __call__(self, x: Float[Array, "13"]) -> Float[Array, "14"]:
        return 15 * x
'''
    mutants = list(mutants_of("nets.example", source))
    assert {mutant.formula for mutant in mutants} == {
        "nets.example.LIMIT",
        "nets.example.SIZES",
        "nets.example.Net",
        "nets.example.Net.drops",
        "nets.example.Net.__call__",
    }
    numbers = {mutant.change.partition(" -> ")[0] for mutant in mutants}
    assert {number for number in numbers if number.isdigit()} == {"4", "5", "6", "10", "12", "15"}


def test_exchanged_arguments_of_a_symmetric_function_are_excused_wherever_it_is_called():
    assert reason_of("a.b", "mean_absolute_error(outputs, images) -> mean_absolute_error(images, outputs)") == SYMMETRIC
    assert reason_of("a.b", "mean_absolute_error(outputs, images) -> mean_absolute_error(outputs, outputs)") is None
    assert reason_of("a.b", "gaussian_kl(mean, logvar) -> gaussian_kl(logvar, mean)") is None
