"""Weights of the FID Inception: `python -m experiments.inception WEIGHTS.pth WEIGHTS.npz`, once.

Reads `pt_inception-2015-12-05-6726825d.pth` as PyTorch wrote it, without running code from it, and writes an `.npz`
with the variables of `jaxgen.nets.inception.InceptionV3`, for which PyTorch is no longer needed. The file itself is a
download of pytorch-fid or torch-fidelity.
"""

import argparse
import pathlib
from collections.abc import Sequence

from experiments.command_line import cli
from experiments.evaluation import inception


def main(argv: Sequence[str]) -> int:
    """Convert one file."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.inception", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("source", type=pathlib.Path, help="the .pth file")
    parser.add_argument("target", type=pathlib.Path, help="the .npz file to write")
    options = parser.parse_args(argv)
    state_dict = inception.read_torch(options.source)
    inception.save(options.target, inception.from_state_dict(state_dict))
    print(f"{len(state_dict)} tensors of {options.source} written to {options.target}")
    return 0


if __name__ == "__main__":
    cli.run(main)
