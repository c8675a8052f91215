"""Judge a run drawn in many ways: `python -m experiments.sweep RUN --sampler ddim heun --sampler.steps 5 10 20`.

Every combination of the values draws as many samples with the same latents, and each is judged as `evaluate` does:
distance over the number of evaluations of the network, or fidelity against variety. A table is printed; RUN/sweep.json
holds all values with their intervals, and RUN/sweep.png shows them. RUN/tradeoff.png has fidelity over variety, for
truncation (`--drawing.threshold`, `--drawing.psi`) and guidance: precision over recall.
"""

from collections.abc import Sequence

from experiments.command_line import cli


def main(argv: Sequence[str]) -> int:
    """Print a table; write RUN/sweep.json, RUN/sweep.png and, of precision and recall, RUN/tradeoff.png."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.sweep RUN --SETTING VALUE VALUE ... [options]")
        return 0
    from experiments.evaluation import sweeping

    chosen, ways = sweeping.parse(
        folder,
        options,
        prog="python -m experiments.sweep RUN",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    for line in sweeping.lines(sweeping.sweep(folder, chosen, ways)):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
