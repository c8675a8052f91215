"""`python -m jaxgen` says in one sentence what the commands are and need."""

import sys

WHERE = (
    "jaxgen is a library; its commands are python -m experiments.train, sample, evaluate and others, which need "
    "pip install 'jaxgen[experiments]', or pip install -e '.[experiments]' in a clone, and run from any folder"
)

if __name__ == "__main__":
    sys.exit(WHERE)
