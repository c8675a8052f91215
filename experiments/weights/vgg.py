"""Published weights of VGG-19 under our names: those of torchvision, `features.N.weight` and `features.N.bias`.

The k-th convolution of the file is the k-th of `jaxgen.nets.vgg19`; dense layers are passed over, and so are
convolutions behind the layer whose features are wanted.
"""

import re
from collections.abc import Mapping

import numpy as np

from experiments.weights import generators

CONVOLUTION = re.compile(r"(?:.*\.)?features\.(\d+)\.(weight|bias)")


def is_published(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether a file has torchvision's names."""
    return any(CONVOLUTION.fullmatch(name) for name in arrays)


def variables(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of all convolutions by name, `params/Conv_0/kernel`. ValueError if there are none."""
    matches = [match for match in map(CONVOLUTION.fullmatch, arrays) if match]
    if not matches:
        raise ValueError("it has no convolutions by the names features.0.weight, features.0.bias, ...")
    numbers = sorted({int(match[1]) for match in matches})
    found = {}
    for match in matches:
        layer, array = f"params/Conv_{numbers.index(int(match[1]))}", arrays[match[0]]
        if match[2] == "weight":
            found[f"{layer}/kernel"] = generators.kernel(array)
        else:
            found[f"{layer}/bias"] = array
    return generators.in_float32(found)
