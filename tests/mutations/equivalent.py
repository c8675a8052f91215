"""Mutations that change no result, each with the reason: nothing could make a test go red."""

SYMMETRIC = "the formula is symmetric in the two"
UNSELECTED = "stands in a branch of where that is not selected, to keep it finite"

REASONS = {
    ("consistency_penalty", "swap (augmented, scores)"): SYMMETRIC,
}
