"""What a user hands to a test, checked and as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eventstudy.errors import DataError


def vector(values: ArrayLike, what: str, count: int | None = None) -> np.ndarray:
    """Return numbers as an array (N,); a single number stands for all `count` of them.

    Raises
    ------
    DataError
        If they are no numbers, one is undefined, or there are not `count` of them.
    """
    found = _numbers(values, what)
    if count is not None and found.ndim == 0:
        found = np.full(count, float(found))
    if found.ndim != 1:
        raise DataError(f"{what} has {found.ndim} dimensions: give one number a firm")
    if count is not None and len(found) != count:
        raise DataError(f"{what} has {len(found)} values for {count} firms: give one a firm, in the same order")
    if lacking := int((~np.isfinite(found)).sum()):
        count = len(found)
        raise DataError(f"{what}: {lacking} of {count} values are undefined: leave these firms out, so that N is what you mean")
    return found


def matrix(values: ArrayLike, what: str, columns: int | None = None, may_lack: bool = False) -> np.ndarray:
    """Return numbers as an array (rows, N).

    Parameters
    ----------
    may_lack : bool
        Whether NaN is allowed, for sessions on which a firm has no value.

    Raises
    ------
    DataError
        If they are no table of numbers, have not so many columns, or one is undefined where it must not be.
    """
    found = _numbers(values, what)
    if found.ndim != 2:
        raise DataError(f"{what} has {found.ndim} dimensions: give a table, sessions by firms")
    if columns is not None and found.shape[1] != columns:
        raise DataError(f"{what} has {found.shape[1]} columns for {columns} firms: give one a firm, in the same order")
    if np.isinf(found).any() or (not may_lack and np.isnan(found).any()):
        raise DataError(f"{what} holds undefined values: leave these sessions or firms out")
    return found


def square(values: ArrayLike, what: str, count: int) -> np.ndarray:
    """Return a symmetric matrix (N, N).

    Raises
    ------
    DataError
        If it is none.
    """
    found = matrix(values, what, count)
    if found.shape[0] != count or not np.allclose(found, found.T, rtol=1e-8, atol=0):
        raise DataError(f"{what} is no symmetric matrix of {count} by {count}")
    return found


def _numbers(values: ArrayLike, what: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{what} holds something else than numbers: give numbers") from None
