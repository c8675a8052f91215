"""The picture of a sweep on a page, which says of which numbers it is."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from experiments.evaluation import sweeping
from experiments.reports import learning


def picture(record: Mapping[str, Any]) -> bytes:
    """A PNG with a panel for each metric."""
    return sweeping.picture(record["sweep"], {learning.DATA: checksum(record)})


def checksum(record: Mapping[str, Any]) -> str:
    """Of the numbers of the sweep."""
    return hashlib.sha256(json.dumps(record["sweep"], sort_keys=True).encode()).hexdigest()
