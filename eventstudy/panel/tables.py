"""The tables of a panel study: the columns of `tables` and `group_tables`, made from whole arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.inference.multiple import benjamini_hochberg, holm
from eventstudy.panel.batch import COEFFICIENTS, REASONS, Batch
from eventstudy.panel.market import LIMITS, STATUSES
from eventstudy.panel.rows import window_rows
from eventstudy.panel.study import DIAGNOSED, PanelStudy
from eventstudy.student import both_tails, critical_value
from eventstudy.tables import COLUMNS, as_table
from eventstudy.windows import Window

ROWS_AT_ONCE = 2_000  # events whose rows of the table of abnormal returns are made together
CARS_AT_ONCE = 10_000  # events whose rows of the table of CARs are


def days(dates: np.ndarray) -> np.ndarray:
    """Write dates as ISO dates, NaT as empty."""
    unique, place = np.unique(dates, return_inverse=True)
    words = np.datetime_as_string(unique, unit="D").astype(object)
    words[np.isnat(unique)] = ""
    return np.asarray(words[place])


def events_table(study: PanelStudy) -> pd.DataFrame:
    """One row a firm and event, excluded ones last."""
    firms, left = study.firms, np.flatnonzero(study.excluded)
    order, events = np.concatenate([firms, left]), study.events
    session, traded = days(study.session)[order], days(study.first_traded())[order]
    gone = study.excluded[order]
    reasons = [item.reason for item in study.exclusions]
    return pd.DataFrame(
        {
            "event_id": events.event_id[order],
            "symbol": events.symbol[order],
            "name": events.name[order],
            "group": events.group[order],
            "announced_at": events.announced[order],
            "event_session": np.where(gone, "", session),
            "first_traded_session": np.where(gone, "", traded),
            "status": np.where(gone, "excluded", "ok"),
            "reason": np.concatenate([events.reason[firms], np.array(reasons, dtype=object)]),
        }
    )


def exclusions_table(study: PanelStudy) -> pd.DataFrame:
    """One row an event that was left out."""
    rows = [(item.event_id, item.symbol, item.stage, item.reason) for item in study.exclusions]
    return pd.DataFrame(rows, columns=COLUMNS["exclusions"])


def models_table(study: PanelStudy) -> pd.DataFrame:
    """One row a fitted model, with its diagnostics."""
    fitted, found = study.fitted, study.estimates
    names = COEFFICIENTS[study.plan.model]
    coefficient = {name: found.params[fitted, place] for place, name in enumerate(names)}
    table = {
        "event_id": study.events.event_id[fitted],
        "symbol": study.events.symbol[fitted],
        "model": study.plan.model,
        "nobs": found.nobs[fitted].astype("int64"),
        "n_sessions": found.n_sessions[fitted].astype("int64"),
        "df_resid": found.df[fitted].astype("int64"),
        "sigma": found.sigma[fitted],
        "r_squared": found.r_squared[fitted],
    }
    table |= {name: coefficient.get(name, np.full(len(fitted), np.nan)) for name in ("alpha", "beta")}
    table |= {"short_history": found.short_history[fitted], "suspended_share": found.suspended_share[fitted]}
    table |= {name: found.diagnosed[fitted, place] for place, name in enumerate(DIAGNOSED)}
    return pd.DataFrame(table).astype({"max_span": "int64"})


def cars_table(study: PanelStudy) -> pd.DataFrame:
    """One row a firm and window, undefined ones with the reason; ``p_bh`` beside ``p_holm``, no p-values by Romano and Wolf."""
    return pd.concat(car_parts(study), ignore_index=True)


def car_parts(study: PanelStudy) -> Iterator[pd.DataFrame]:
    """Yield the table of CARs in parts, in the order of the events."""
    adjusted, firms = _adjusted(study), study.firms
    for start in range(0, len(firms), CARS_AT_ONCE):
        yield _cars(study, firms[start : start + CARS_AT_ONCE], adjusted)


def _adjusted(study: PanelStudy) -> dict[str, np.ndarray]:
    """Return p-values (N, W) adjusted over the firms of each event's group."""
    found = study.estimates
    adjusted = {"p_holm": np.full(found.car.shape, np.nan), "p_bh": np.full(found.car.shape, np.nan)}
    twins = pd.factorize(pd.MultiIndex.from_arrays([study.events.symbol, study.session]))[0]
    for group in reversed(study.groups):  # `all` last: a firm's family are all firms
        for window in range(len(study.plan.windows.car)):
            family = study.counted(group, window)
            for name, adjust in (("p_holm", holm), ("p_bh", benjamini_hochberg)):
                by_twin = np.full(twins.max() + 1, np.nan)
                by_twin[twins[family]] = adjust(found.p_value[family, window])
                known = by_twin[twins]
                adjusted[name][:, window] = np.where(np.isnan(known), adjusted[name][:, window], known)
    return adjusted


def _cars(study: PanelStudy, firms: np.ndarray, adjusted: dict[str, np.ndarray]) -> pd.DataFrame:
    found, reason = study.estimates, study.reason[firms]
    reach = critical_value(study.plan.alpha, found.df[firms])[:, None] * found.se[firms]
    car, defined = found.car[firms], reason == 0
    df = np.where(defined, found.df[firms][:, None], 0).ravel()
    flat = _keys_by_window(study, firms) | {
        "car": car.ravel(),
        "se_car": found.se[firms].ravel(),
        "t": found.scar[firms].ravel(),
        "df": pd.array(df, dtype="Int64"),
        "p_value": found.p_value[firms].ravel(),
        "p_holm": adjusted["p_holm"][firms].ravel(),
        "ci_low": (car - reach).ravel(),
        "ci_high": (car + reach).ravel(),
        "status": np.where(defined, "ok", "undefined").astype(object).ravel(),
        "reason": np.array(REASONS, dtype=object)[reason].ravel(),
        "confounded_by": "",
        "censored": np.array(LIMITS, dtype=object)[found.limit[firms]].ravel(),
        "complete_on": _complete_on(study, firms, reason).ravel(),
    }
    table = pd.DataFrame(flat)
    table.loc[~defined.ravel(), "df"] = pd.NA
    return table.assign(p_bh=adjusted["p_bh"][firms].ravel(), p_romano_wolf=np.nan)


def _keys_by_window(study: PanelStudy, firms: np.ndarray) -> dict[str, Any]:
    """Return the key columns of a table of one row a firm and window."""
    windows = study.plan.windows.car
    return {
        "event_id": np.repeat(study.events.event_id[firms], len(windows)),
        "symbol": np.repeat(study.events.symbol[firms], len(windows)),
        "window_start": np.tile([window[0] for window in windows], len(firms)),
        "window_end": np.tile([window[1] for window in windows], len(firms)),
    }


def _complete_on(study: PanelStudy, firms: np.ndarray, reason: np.ndarray) -> np.ndarray:
    windows = study.plan.windows.car
    found = np.full((len(firms), len(windows)), "", dtype=object)
    waiting = reason == REASONS.index("provisional")
    for place, window in enumerate(windows):
        if waiting[:, place].any():
            dates = days(study.dates(np.where(study.panel.day0 >= 0, study.panel.day0 + window[1], -1)))[firms]
            found[:, place] = np.where(waiting[:, place], dates, "")
    return found


def abnormal_return_parts(study: PanelStudy) -> Iterator[pd.DataFrame]:
    """Yield the table of abnormal returns in parts, in the order of the events; one without rows where nothing was fitted."""
    if not len(study.fitted):
        yield as_table("abnormal_returns", [])
    for start in range(0, len(study.fitted), ROWS_AT_ONCE):
        part = study.fitted[start : start + ROWS_AT_ONCE]
        tables = [_abnormal_returns(study, numbers, batch) for numbers, batch in study.batches(part)]
        yield pd.concat(tables).sort_values("number", kind="stable").drop(columns="number").reset_index(drop=True)


def abnormal_returns_table(study: PanelStudy) -> pd.DataFrame:
    """One row a firm and session of the event window that the data cover."""
    return pd.concat(list(abnormal_return_parts(study)), ignore_index=True)


def _abnormal_returns(study: PanelStudy, numbers: np.ndarray, batch: Batch) -> pd.DataFrame:
    market, (lo, hi) = batch.market, batch.plan.windows.event
    rows, inside = batch.rows_inside((lo, hi))
    ar, se = batch.predicted(rows, inside)
    place = batch.day0[:, None] + np.arange(lo, hi + 1)
    shown = (place >= 0) & (place <= market.end)
    event, column = np.nonzero(shown)
    there = inside[shown]

    def known(values: np.ndarray) -> np.ndarray:
        return np.where(there, values[shown], np.nan)

    ret, found_ar, found_se = known(rows.ret), known(ar), known(se)
    t = found_ar / found_se
    at = place[shown]
    limit = market.limit[batch.share[event], at] if market.limit is not None else np.zeros(len(at), dtype=np.int8)
    return pd.DataFrame(
        {
            "number": numbers[event],
            "event_id": study.events.event_id[numbers][event],
            "symbol": study.events.symbol[numbers][event],
            "tau": column + lo,
            "session": days(market.calendar.sessions.to_numpy())[at],
            "status": np.array(STATUSES, dtype=object)[market.status[batch.share[event], at]],
            "limit": np.array(LIMITS, dtype=object)[limit],
            "span": pd.arrays.IntegerArray(rows.span[shown].astype("int64"), ~there),
            "ret": ret,
            "mkt": known(rows.mkt),
            "expected": ret - found_ar,
            "ar": found_ar,
            "se_ar": found_se,
            "t": t,
            "p_value": both_tails(t, batch.df[event]),
        }
    )


def aar_table(study: PanelStudy) -> pd.DataFrame:
    """Average of the single-session abnormal returns by group and tau, with their number (rule A9)."""
    lo, hi = study.plan.windows.event
    totals = {group: np.zeros((2, hi - lo + 1)) for group in study.groups}
    chosen = {group: np.isin(np.arange(len(study.events)), members) for group, members in study.groups.items()}
    for numbers, batch in study.batches(study.fitted):
        rows, inside = batch.rows_inside((lo, hi))
        ar, single = batch.predicted(rows, inside)[0], inside & (rows.span == 1)
        for group, total in totals.items():
            mine = single & chosen[group][numbers][:, None]
            total += np.stack([mine.sum(axis=0), np.where(mine, ar, 0.0).sum(axis=0)])
    tables = []
    for group, (count, total) in totals.items():
        mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        tables.append(pd.DataFrame({"group": group, "tau": np.arange(lo, hi + 1), "n": count.astype("int64"), "aar": mean}))
    return pd.concat(tables, ignore_index=True)


def caar_table(study: PanelStudy) -> pd.DataFrame:
    """Mean of the complete CARs by group and window (rule A9)."""
    rows = []
    for group in study.groups:
        for place, window in enumerate(study.plan.windows.car):
            car = study.estimates.car[study.counted(group, place), place]
            told = {"caar": car.mean(), "median_car": np.median(car)} if len(car) else {"caar": np.nan, "median_car": np.nan}
            bounds = {"group": group, "window_start": window[0], "window_end": window[1], "n": len(car)}
            rows.append(bounds | told | {"n_negative": int((car < 0).sum())})
    return pd.DataFrame(rows, columns=COLUMNS["caar"])


def bhar_table(study: PanelStudy) -> pd.DataFrame:
    """One row a firm and window: simple returns over the whole of it, or the reason why there are none (rule A1)."""
    windows, firms = study.plan.windows.car, study.firms
    shape = (len(study.events), len(windows))
    reason, share, benchmark = study.reason.copy(), np.full(shape, np.nan), np.full(shape, np.nan)
    for numbers, batch in study.batches(firms):
        for place, window in enumerate(windows):
            found, own, market = _held(batch, window)
            awaited = study.reason[numbers, place] == REASONS.index("provisional")
            reason[numbers, place] = np.where(awaited, reason[numbers, place], found)
            hidden = awaited | (found != 0)
            share[numbers, place], benchmark[numbers, place] = np.where(hidden, np.nan, own), np.where(hidden, np.nan, market)
    table = _keys_by_window(study, firms) | {
        "bhar": (share - benchmark)[firms].ravel(),
        "firm_return": share[firms].ravel(),
        "benchmark_return": benchmark[firms].ravel(),
        "reason": np.array(REASONS, dtype=object)[reason[firms]].ravel(),
    }
    return pd.DataFrame(table)


def _held(batch: Batch, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    market, lo, hi = batch.market, batch.day0 + window[0], batch.day0 + window[1]
    rows = window_rows(market, batch.share, lo, window[1] - window[0] + 1, "trade-to-trade", "log")
    reason = batch.untiled((rows.span * rows.inside(lo, hi)).sum(axis=1), lo, hi)
    before, after = (np.clip(place, 0, market.sessions - 1) for place in (lo - 1, hi))
    own = market.level[batch.share, after] / market.level[batch.share, before] - 1
    return reason, own, market.benchmark[after] / market.benchmark[before] - 1


def event_sessions_with(study: PanelStudy, status: str) -> dict[str, list[str]]:
    """Return event sessions with a status, by symbol."""
    found: dict[str, list[str]] = {}
    dates = days(study.session)
    for numbers, batch in study.batches(study.firms):
        there = batch.status(batch.day0) == STATUSES.index(status)
        for number in numbers[there & (batch.day0 <= batch.market.end)]:
            found.setdefault(str(study.events.symbol[number]), []).append(str(dates[number]))
    return {symbol: sorted(set(found[symbol])) for symbol in sorted(found)}
