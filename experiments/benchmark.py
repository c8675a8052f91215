"""Our updates beside PyTorch's of the same networks, alternating in one run: `python -m experiments.benchmark`.

    pip install -e '.[benchmark]'
    python -m experiments.benchmark                         # all cases
    python -m experiments.benchmark wgan_gp_digits vae_mnist --rounds 7

Float32, random images, noise drawn anew in each update. Parameter counts are checked to be equal; the FLOPs beside are
those of matrix products and convolutions, ours read from the traced program, PyTorch's counted by it. Each round times
every variant once for at least `--seconds`. Printed are the median of the milliseconds and of the ratio to eager
PyTorch, with the ratio's range: above 1 is faster. `last` is the ratio of the run before on this machine, from the
history that every run is added to. Before them the machine's best rates of matrix products, convolutions and memory are
measured; `of bound` is the time over that which our update would take at those rates.

The last case, `costs`, needs no PyTorch: what a run costs beside its updates, from the imports to the checkpoints.

On a machine that others load, compare the work of one core:

    taskset -c 0 python -m experiments.benchmark --clock processor
"""

import pathlib
from collections.abc import Sequence

import jax

from experiments.benchmarks import comparison, costs, history, roofline, updates
from experiments.benchmarks.comparison import Options
from experiments.command_line import cli, system
from experiments.command_line.errors import UserError

COSTS = "costs"
"""The case that is no update."""


def main(argv: Sequence[str]) -> int:
    """Print a table for each case, and add it to the history."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmark", __doc__ or "")
    cases = updates.cases()
    names = options.cases or (*cases, COSTS)
    for name in names:
        if name not in cases and name != COSTS:
            raise UserError(f"no case is named {name!r}; there are: {', '.join((*cases, COSTS))}")
    machine = _machine(with_torch=names != (COSTS,))
    print("\n".join(f"{what}: {value}" for what, value in machine.items()), flush=True)
    peaks = None
    for name in names:
        if name == COSTS:
            _report_costs(options.history, machine)
            continue
        if peaks is None:
            peaks = roofline.measure(options.clock)
            print(roofline.line(peaks), flush=True)
        measured = comparison.measure(cases[name], options, peaks)
        last = history.last(options.history, name, machine, "timings")
        print("\n" + "\n".join(comparison.table(name, cases[name].batch_size, measured, last)), flush=True)
        history.add(
            options.history,
            {"case": name, "machine": machine, "clock": options.clock, "peaks": peaks._asdict(), **measured},
        )
    return 0


def _machine(*, with_torch: bool) -> dict[str, str]:
    """What ran here; UserError if PyTorch is needed and missing."""
    jax_here = f"{jax.__version__} on {len(jax.devices())} {jax.devices()[0].device_kind}"
    machine = {"processor": system.processor(), "jax": jax_here}
    if not with_torch:
        return machine
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError("PyTorch is missing: pip install -e '.[benchmark]'") from error
    return machine | {"torch": f"{torch.__version__} on {torch.get_num_threads()} threads"}


def _report_costs(path: pathlib.Path, machine: dict[str, str]) -> None:
    """Print each cost as it comes, beside the last run's, and add them to the history."""
    machine = {what: value for what, value in machine.items() if what != "torch"}
    last, measured = history.last(path, COSTS, machine, "costs"), {}
    print(f"\n{COSTS}{'':<55}{'last':>22}")
    for name, cost in costs.measure():
        measured[name] = cost._asdict()
        before = f"{last[name]['value']:,.2f}" if name in last else ""
        print(f"{name:<50}{cost.value:>12,.2f} {cost.unit:<9}{before:>10}".rstrip(), flush=True)
    history.add(path, {"case": COSTS, "machine": machine, "costs": measured})


if __name__ == "__main__":
    cli.run(main)
