"""Mutation check of the losses: break each formula on purpose and see a test go red.

    python -m tests.mutations                        all formulas, in about ten minutes
    python -m tests.mutations --only pull_away       formulas or modules with this in their name
    python -m tests.mutations --list                 the mutations alone

Prints a table of formula, mutation, the first test that fails and the verdict. Exit status 1 if a mutation
survives without a reason in `equivalent.REASONS`. A mutated copy of the package comes first on the path of a
forked process; the working tree is never touched.
"""
