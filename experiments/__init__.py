"""The work bench: data, training runs, checkpoints, figures, command lines. Everything with an effect is in here."""
