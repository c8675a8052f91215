"""`python -m experiments.latents`."""

from experiments.command_line import cli
from experiments.latents import main

if __name__ == "__main__":
    cli.run(main)
