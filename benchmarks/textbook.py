"""The loop as tutorials have it: returns of all shares made once, then `OLS(...).fit()` on two Series an event.

Sessions without a return are dropped, so that suspensions cost it the return of the resumption: its numbers are not ours where
trading stopped. It has no standard errors of prediction either; it is here for the time that such a loop takes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.api as sm

from benchmarks.panels import CAR, ESTIMATION, EVENT, Panel


def tables(panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return abnormal returns and CARs of all events, one event at a time."""
    shares, market = np.log(panel.prices).diff(), np.log(panel.benchmark).diff()
    day0s = shares.index.get_indexer(pd.to_datetime(panel.events["session"]))
    returns, cars = [], []
    for event_id, symbol, day0 in zip(panel.events["event_id"], panel.events["symbol"], day0s, strict=True):
        share = shares[symbol]
        y = share.iloc[day0 + ESTIMATION[0] : day0 + ESTIMATION[1] + 1].dropna()
        fit = sm.OLS(y, sm.add_constant(market[y.index])).fit()
        event = slice(day0 + EVENT[0], day0 + EVENT[1] + 1)
        ar = share.iloc[event] - fit.predict(sm.add_constant(market.iloc[event]))
        returns.append(pd.DataFrame({"event_id": event_id, "tau": np.arange(EVENT[0], EVENT[1] + 1), "ar": ar.to_numpy()}))
        for first, last in CAR:
            car = ar.iloc[first - EVENT[0] : last - EVENT[0] + 1].sum(skipna=False)
            cars.append((event_id, first, last, car, car / np.sqrt(fit.scale * (last - first + 1))))
    columns = ["event_id", "window_start", "window_end", "car", "t"]
    return pd.concat(returns, ignore_index=True), pd.DataFrame(cars, columns=columns)
