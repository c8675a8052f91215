"""Mutation check of the library: break its code on purpose and see a test go red.

    python -m tests.mutations                              300 mutations, drawn at random over all files of jaxgen/
    python -m tests.mutations --sample 40 --seed 7         fewer, and a draw that can be repeated
    python -m tests.mutations --only losses nets.norm      all mutations of formulas with one of these in their name,
                                                           or a draw from these with --sample
    python -m tests.mutations --exhaustive jaxgen/nets/mlp.py    all mutations of some files
    python -m tests.mutations --again OUTPUT               those that an earlier run printed as left alive or untried
    python -m tests.mutations --list                       the mutations alone

A sample takes at least one mutation of each file and ends after 30 minutes (`--minutes`), with a list of what it did
not reach; a test that goes red is then run without any mutation, and where it is red even so, the mutation is tried
again without it. All mutations of chosen files or formulas take as long as they take: their tests are timed first.

Prints a table of formula, mutation, the first test that fails and the verdict. Exit status 1 if a mutation survives
without a reason in `equivalent.REASONS`, 2 if a test fails without any mutation, 3 if some were not reached. The
mutated text of a module takes its place while a forked process imports it; the working tree is never touched.

For a mutation of jaxgen/X/Y.py run, until the first failure: tests/X/test_Y.py and what it was split into
(test_Y_*.py), the tests in that folder which are of no file alone, and the tests of two files that use what is
mutated. Quick tests, and those that name it, come first.
"""
