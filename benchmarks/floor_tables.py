"""Tables of the closed form, written chunk by chunk."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.closed_form import Estimates
from benchmarks.panels import CAR, EVENT


class Writer:
    """Writes models, abnormal returns and CARs of `events` (their table) into a folder, as CSV or Parquet."""

    def __init__(self, events: pd.DataFrame, folder: Path, as_csv: bool) -> None:
        self._events, self._folder, self._as_csv = events, folder, as_csv
        self._open: dict[str, Any] = {}

    def write(self, part: Estimates) -> None:
        """Append a chunk."""
        keys = self._events[["event_id", "symbol"]].iloc[part.first : part.first + len(part.nobs)]
        numbers = {"nobs": part.nobs, "sigma": part.sigma, "alpha": part.alpha, "beta": part.beta}
        self._append("models", keys.assign(**numbers))
        tau = np.arange(EVENT[0], EVENT[1] + 1)
        returns = _long(keys, tau=tau, ar=part.ar, se_ar=part.se_ar, t=part.ar / part.se_ar)
        self._append("abnormal_returns", returns)
        starts, ends = np.array(CAR).T
        cars = _long(keys, window_start=starts, window_end=ends, car=part.car, se_car=part.se_car, t=part.car / part.se_car)
        self._append("cars", cars)

    def _append(self, name: str, table: pd.DataFrame) -> None:
        first = name not in self._open
        if self._as_csv:
            if first:
                self._open[name] = (self._folder / f"{name}.csv").open("w", newline="")
            table.to_csv(self._open[name], index=False, header=first)
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        batch = pa.Table.from_pandas(table, preserve_index=False)
        if first:
            self._open[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", batch.schema)
        self._open[name].write_table(batch)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._open.values():
            file.close()


def _long(keys: pd.DataFrame, **columns: np.ndarray) -> pd.DataFrame:
    """Lay out arrays of shape (events, k) or (k,) as a row an event and place, with the events' keys."""
    places = next(len(values) for values in columns.values() if values.ndim == 1)
    table = keys.loc[keys.index.repeat(places)]
    return table.assign(**{name: np.broadcast_to(values, (len(keys), places)).ravel() for name, values in columns.items()})
