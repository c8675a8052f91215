"""The mutation check reaches every formula, and its excuses are of mutations that exist."""

import collections
import pathlib

from jaxgen import losses
from tests.mutations.equivalent import REASONS
from tests.mutations.mutants import mutants_of

PACKAGE = pathlib.Path(losses.__file__).parent
MUTANTS = [
    mutant
    for file in PACKAGE.glob("*.py")
    if file.stem != "__init__"
    for mutant in mutants_of(file.stem, file.read_text("utf-8"))
]


def test_every_public_formula_has_several_mutations():
    counts = collections.Counter(mutant.function for mutant in MUTANTS)
    assert all(counts[name] >= 3 for name in losses.__all__), counts


def test_mutations_of_a_formula_have_different_names():
    names = collections.Counter((mutant.formula, mutant.change) for mutant in MUTANTS)
    assert max(names.values()) == 1


def test_every_excuse_is_of_a_mutation_that_exists():
    assert set(REASONS) <= {(mutant.formula, mutant.change) for mutant in MUTANTS}


def test_kinds_of_mutations():
    source = '''
from jax.lax import stop_gradient

def penalty(real, fake, *, weight=0.5):
    """Docstrings are no formulas: -1."""
    real, fake = per_example(real=real, fake=fake)
    if weight < 0:
        raise ValueError(f"weight {weight - 1}")
    return weight * ((real - stop_gradient(fake)).mean(axis=1) ** 2)
'''
    changes = {mutant.change for mutant in mutants_of("example", source)}
    assert changes >= {
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
    assert not any("Docstrings" in change or "weight - 1" in change for change in changes)
