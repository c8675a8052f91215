"""A run: its settings, the files in its folder, its checkpoints, and how later commands read it."""
