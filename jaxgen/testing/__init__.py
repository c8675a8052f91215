"""The contract that every model keeps, for models of this package and of yours. Needs `pip install 'jaxgen[test]'`.

    from jaxgen.testing import Case, Suite

    class TestContract(Suite):
        case = Case(model=my_model, config=my_model.Config(image_shape=(4, 4, 1), network=MLP((8,))))

Start pytest with `JAX_PLATFORMS=cpu JAX_NUM_CPU_DEVICES=4` in the environment, so that there are devices to compare.
Laws that need many compilations have the mark `exhaustive`: `-m "not exhaustive"` leaves them out.
"""

from jaxgen.batches import random_batches
from jaxgen.testing.contract import Suite
from jaxgen.testing.settings import Case, variations, with_sgd
from jaxgen.testing.trees import assert_agree, differs, leaves, stacked
from jaxgen.train_state import players

__all__ = [
    "Case",
    "Suite",
    "assert_agree",
    "differs",
    "leaves",
    "players",
    "random_batches",
    "stacked",
    "variations",
    "with_sgd",
]
