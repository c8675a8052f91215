"""Several processes that train one run together: which one this is, and what they tell each other.

Each process runs the same command. They find each other through a coordinator, which process 0 starts, and speak
through its key-value store, which needs no device. The first process alone writes to the folder of the run, but for
checkpoints, which all write.
"""

from typing import Any

WAIT_MS = 24 * 3_600_000
"""For what another process will say: a process that is gone ends the wait, not the time."""


class _Group:
    """The processes of this run; of one alone there is no client."""

    def __init__(self, index: int = 0, count: int = 1, client: Any = None):
        self.index, self.count, self.client = index, count, client
        self.said = 0  # how often this process has taken part in `gather`


_group = [_Group()]


def index() -> int:
    """Of this process, 0 for the first one or the only one."""
    return _group[0].index


def count() -> int:
    """How many processes train together."""
    return _group[0].count


def first() -> bool:
    """Whether this is the process that prints, and writes what all have in common."""
    return index() == 0


def gather(text: str = "") -> list[str]:
    """What each process says here, in their order; all must call it. It waits for them, and needs no device."""
    group = _group[0]
    if group.count == 1:
        return [text]
    group.said += 1
    place = f"jaxgen/said/{group.said}"
    group.client.key_value_set(f"{place}/{group.index}", text)
    return [group.client.blocking_key_value_get(f"{place}/{other}", WAIT_MS) for other in range(group.count)]


def join(index: int, count: int, client: Any) -> None:
    """From now on this is process `index` of `count`, which speak through the coordinator's `client`."""
    _group[0] = _Group(index, count, client)
