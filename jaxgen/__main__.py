"""`python -m jaxgen` says in one sentence where the commands are: the library has none."""

import sys

WHERE = (
    "jaxgen is a library; the commands, such as python -m experiments.train, come with its source: "
    "pip install -e '.[experiments]' in a clone of the repository makes them run from any folder"
)

if __name__ == "__main__":
    sys.exit(WHERE)
