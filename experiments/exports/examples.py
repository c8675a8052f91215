"""The lines that load each file of an exported folder, as its card shows them; they run inside the folder."""

from typing import Any

from jax import export

from experiments.exports import programs

NUM = 16
"""Examples that a program is given, where it takes any number."""

WEIGHTS = """\
from safetensors.numpy import load_file

weights = load_file("weights.safetensors")  # name to NumPy array
"""

SETTINGS = """\
import json
import pathlib
from experiments.runs import settings

config = settings.from_json(json.loads(pathlib.Path("config.json").read_text()))
"""

MODEL = """\
import jax
from experiments.exports import loading
from experiments.runs.experiment import model_of

config, state = loading.load(".")
"""

DRAWN = "images = model_of(config).sample(config, state, jax.random.key(0), 16)\n"
"""What follows `MODEL` where a sample needs no example."""


def of_program(program: programs.Program, one: export.Exported) -> str:
    """How a program is read and called."""
    num = programs.num_of(one) or NUM
    called = ", ".join(_value(name, shape, dtype, num) for name, shape, dtype in program.arguments)
    return f"""\
import pathlib
import numpy as np
from jax import export

program = export.deserialize(bytearray(pathlib.Path("{program.name}.jax").read_bytes()))
{program.gives} = program.call({called})
"""


def _value(name: str, shape: tuple[int | str, ...], dtype: Any, num: int) -> str:
    kind = f"np.{dtype.__name__}"
    if name == "seed":
        return f"{kind}(0)"
    if name == "places":
        return f"np.arange({num}, dtype={kind})"
    sizes = ", ".join(str(num if size == "num" else size) for size in shape)
    return f"np.zeros(({sizes}{',' if len(shape) == 1 else ''}), {kind})"
