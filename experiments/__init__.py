"""The work bench: data, training runs, checkpoints, figures, command lines. Everything with an effect is in here."""

import importlib.util
import sys

PACKAGES = {
    "array_record": "array-record",
    "importlib_resources": "importlib-resources",
    "matplotlib": "matplotlib",
    "orbax": "orbax-checkpoint",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
    "tqdm": "tqdm",
    "tyro": "tyro",
}
"""What the commands import beyond the library's own needs, and the packages that hold it: the extra `experiments`."""

# Here, since Python runs this file before that of any command, and a command's own imports would fail with a traceback.
_MISSING = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
if _MISSING:
    print(f"error: the commands need {', '.join(_MISSING)}: pip install -e '.[experiments]'", file=sys.stderr)
    sys.exit(2)
