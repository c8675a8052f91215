"""A random draw of mutants in which every file has its share."""

import random
from collections.abc import Sequence

from tests.mutations.mutants import Mutant


def stratified(mutants: Sequence[Mutant], num: int, seed: int) -> list[Mutant]:
    """`num` different mutants in random order: one of each file, the rest from all alike. The same for one seed.

    Of fewer mutants than files, at most one a file; all of them if there are no more than `num`.
    """
    shuffled = sorted(mutants, key=lambda mutant: (mutant.formula, mutant.change))
    generator = random.Random(seed)
    generator.shuffle(shuffled)
    first = {mutant.module: mutant for mutant in reversed(shuffled)}
    chosen = sorted(first.values(), key=shuffled.index)[:num]
    rest = [mutant for mutant in shuffled if first[mutant.module] is not mutant]
    generator.shuffle(rest)  # a file's second mutant comes late in the old order
    drawn = chosen + rest[: num - len(chosen)]
    generator.shuffle(drawn)
    return drawn
