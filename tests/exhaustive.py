"""Rows of a table that are tried with the exhaustive tests alone."""

from collections.abc import Iterable
from typing import Any

import pytest


def exhaustive(rows: Iterable[Any]) -> list[Any]:
    """The rows of `pytest.mark.parametrize`, each with the mark; tuples are several arguments."""
    return [pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.exhaustive) for row in rows]


def first(num: int, rows: Iterable[Any]) -> list[Any]:
    """The first `num` rows, tried by default, and the others with the mark."""
    rows = list(rows)
    return [*rows[:num], *exhaustive(rows[num:])]
