"""Checkpoints of a run: orbax writes and reads, with a checksum for each array and damaged ones put aside."""
