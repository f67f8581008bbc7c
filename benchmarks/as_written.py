"""The same loop as it stands in most notebooks: DataFrames, `OLS(...).fit()`, `get_prediction`, p-values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from benchmarks.panels import CAR, ESTIMATION, EVENT, Panel


def tables(panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return abnormal returns and CARs of all events, one event at a time."""
    returns, cars = [], []
    day0s = panel.prices.index.get_indexer(pd.to_datetime(panel.events["session"]))
    for event_id, symbol, day0 in zip(panel.events["event_id"], panel.events["symbol"], day0s, strict=True):
        levels = pd.DataFrame({"ret": panel.prices[symbol], "mkt": panel.benchmark})
        rows = _rows(levels, day0, ESTIMATION)
        root = np.sqrt(rows["span"])
        fit = sm.OLS(rows["ret"] / root, rows[["span", "mkt"]].div(root, axis=0)).fit()
        rows = _rows(levels, day0, EVENT)
        root = np.sqrt(rows["span"])
        prediction = fit.get_prediction(rows[["span", "mkt"]].div(root, axis=0))
        rows["ar"], rows["se_ar"] = rows["ret"] - root * prediction.predicted_mean, root * prediction.se_obs
        rows["t"] = rows["ar"] / rows["se_ar"]
        rows["p_value"] = 2 * stats.t.sf(rows["t"].abs(), fit.df_resid)
        returns.append(rows.assign(event_id=event_id, tau=rows.index))
        for window in CAR:
            rows = _rows(levels, day0, window)
            total, car, se = rows[["span", "mkt"]].sum(), np.nan, np.nan
            if total["span"] == window[1] - window[0] + 1:
                car = rows["ret"].sum() - total @ fit.params
                se = np.sqrt(fit.scale * (total["span"] + total @ fit.normalized_cov_params @ total))
            p_value = 2 * stats.t.sf(abs(car / se), fit.df_resid)
            cars.append((event_id, *window, car, se, car / se, p_value))
    columns = ["event_id", "window_start", "window_end", "car", "se_car", "t", "p_value"]
    return pd.concat(returns, ignore_index=True), pd.DataFrame(cars, columns=columns)


def _rows(levels: pd.DataFrame, day0: int, window: tuple[int, int]) -> pd.DataFrame:
    """Return the trade-to-trade rows inside a window, by tau of their last session."""
    inside = levels.iloc[day0 + window[0] - 1 : day0 + window[1] + 1]
    inside = inside.set_axis(range(window[0] - 1, window[1] + 1)).dropna()
    rows = np.log(inside).diff().iloc[1:]
    rows["span"] = np.diff(inside.index).astype(float)
    return rows
