"""The result tables: one function a table, columns as documented, NaN or empty where undefined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import cumulate
from eventstudy.diagnostics import minimum_detectable_effect, model_diagnostics
from eventstudy.inference.correlation import nearest_correlation
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.parametric import caar_se, holm
from eventstudy.inference.placebo import PlaceboDraws, placebo_draws, placebo_max_draws
from eventstudy.inference.registry import PARAMETRIC, PLACEBO, placebo_result, run_test
from eventstudy.inference.result import TestResult
from eventstudy.models import MODELS
from eventstudy.returns import trade_rows
from eventstudy.study import UNCONFOUNDED, Computation, FirmStudy
from eventstudy.trading import MISSING, SUSPENDED, TRADED, UNKNOWN, Listing
from eventstudy.windows import Window

COLUMNS: dict[str, list[str]] = {
    "events": [
        "event_id", "symbol", "name", "group", "announced_at", "event_session", "first_traded_session", "status", "reason",
    ],
    "models": ["event_id", "symbol", "model", "nobs", "n_sessions", "df_resid", "sigma", "r_squared", "alpha", "beta"],
    "abnormal_returns": [
        "event_id", "symbol", "tau", "session", "status", "limit", "span", "ret", "mkt", "expected", "ar", "se_ar", "t",
        "p_value",
    ],
    "cars": [
        "event_id", "symbol", "window_start", "window_end", "car", "se_car", "t", "df", "p_value", "p_holm", "ci_low", "ci_high",
        "status", "reason", "confounded_by",
    ],
    "aar": ["group", "tau", "n", "aar"],
    "caar": ["group", "window_start", "window_end", "n", "caar", "median_car", "n_negative"],
    "tests": ["group", "window_start", "window_end", "test", "null", "statistic", "df", "p_value", "n", "reason"],
    "exclusions": ["event_id", "symbol", "stage", "reason"],
    "data": ["symbol", "source", "content_hash", "first", "last", "sessions", "traded", "suspended", "missing", "limit_days"],
    "placebo": [
        "group", "window_start", "window_end", "test", "blocks", "floor", "p_value", "p_left", "p_right", "blocks_apart",
        "p_apart",
    ],
    "detectable": ["scope", "window_start", "window_end", "n", "se", "df", "effect"],
    "market": ["benchmark", "event_session", "window_start", "window_end", "car", "se_car", "t", "df", "p_value", "reason"],
    "notes": ["symbol", "code", "note"],
}  # fmt: skip

Row = dict[str, Any]


def _table(name: str, rows: list[Row]) -> pd.DataFrame:
    extra = [key for key in (rows[0] if rows else {}) if key not in COLUMNS[name]]
    return pd.DataFrame(rows, columns=[*COLUMNS[name], *extra])


def _day(session: pd.Timestamp | None) -> str:
    return "" if session is None or pd.isna(session) else f"{session:%Y-%m-%d}"


def _keys(firm: FirmStudy) -> Row:
    return {"event_id": firm.key[0], "symbol": firm.key[1]}


def _bounds(window: Window) -> Row:
    return {"window_start": window[0], "window_end": window[1]}


def events_table(study: Computation) -> pd.DataFrame:
    """One row a firm and event, excluded ones included."""
    rows = []
    for firm in study.firms:
        event = firm.dated.event
        rows.append(
            _keys(firm)
            | {
                "name": firm.settings.name,
                "group": event.group or firm.settings.group,
                "announced_at": str(event.announcement),
                "event_session": _day(firm.session),
                "first_traded_session": _day(_first_traded(firm)),
                "status": "ok",
                "reason": "calendar_end" if firm.session is None else "",
            }
        )
    by_key = {(event.event_id, event.symbol): event for event in study.inputs.events}
    for item in study.exclusions:
        event = by_key.get((item.event_id, item.symbol)) or by_key[item.event_id.rpartition("-")[0], item.symbol]
        settings = study.inputs.firms[item.symbol]
        rows.append(
            {
                "event_id": item.event_id,
                "symbol": item.symbol,
                "name": settings.name,
                "group": event.group or settings.group,
                "announced_at": str(event.announcement),
                "event_session": "",
                "first_traded_session": "",
                "status": "excluded",
                "reason": item.reason,
            }
        )
    return _table("events", rows)


def _first_traded(firm: FirmStudy) -> pd.Timestamp | None:
    if firm.session is None:
        return None
    traded = np.flatnonzero(np.isfinite(firm.listing.level[firm.day0 :]))
    return firm.listing.calendar.sessions[firm.day0 + traded[0]] if len(traded) else None


def models_table(study: Computation) -> pd.DataFrame:
    """One row a fitted model, with its diagnostics."""
    rows = []
    for firm in study.firms:
        if firm.fit is None:
            continue
        fit = firm.fit
        rows.append(
            _keys(firm)
            | {
                "model": fit.model.name,
                "nobs": fit.nobs,
                "n_sessions": fit.n_sessions,
                "df_resid": fit.df_resid,
                "sigma": fit.sigma,
                "r_squared": fit.r_squared,
                "alpha": fit.coefficient("alpha"),
                "beta": fit.coefficient("beta"),
            }
            | {f"coef_{name}": fit.coefficient(name) for name in fit.model.names if name not in ("alpha", "beta")}
            | {"short_history": firm.short_history, "suspended_share": firm.suspended_share}
            | model_diagnostics(fit, firm.rows, firm.day0, study.inputs.plan.headline_window)
        )
    return _table("models", rows)


def abnormal_returns_table(study: Computation) -> pd.DataFrame:
    """One row a firm and session of the event window that the data cover."""
    rows: list[Row] = []
    lo, hi = study.inputs.plan.windows.event
    for firm in study.firms:
        if firm.abnormal is None:
            continue
        found, listing = firm.abnormal, firm.listing
        by_end = {int(end): place for place, end in enumerate(found.rows.end)}
        for tau in range(lo, hi + 1):
            session = firm.day0 + tau
            if not 0 <= session <= listing.end:
                continue
            row = _keys(firm) | {
                "tau": tau,
                "session": _day(listing.calendar.sessions[session]),
                "status": listing.status[session],
                "limit": listing.limit[session],
            }
            place = by_end.get(session)
            if place is not None:
                row |= {
                    "span": int(found.rows.span[place]),
                    "ret": found.rows.ret[place],
                    "mkt": found.rows.mkt[place],
                    "expected": found.expected[place],
                    "ar": found.ar[place],
                    "se_ar": found.se[place],
                    "t": found.t[place],
                    "p_value": found.p_value[place],
                }
            rows.append(row)
    return _whole_numbers(_table("abnormal_returns", rows), ["span"])


def _whole_numbers(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table.astype(dict.fromkeys(columns, "Int64"))


def cars_table(study: Computation) -> pd.DataFrame:
    """One row a firm and window, undefined ones with the reason."""
    rows = []
    for firm in study.firms:
        for window, found in firm.cumulative.items():
            rows.append(
                _keys(firm)
                | _bounds(window)
                | {
                    "car": found.car,
                    "se_car": found.se,
                    "t": found.t,
                    "df": None if found.reason else found.df,
                    "p_value": found.p_value,
                    "p_holm": np.nan,
                    "ci_low": found.ci_low,
                    "ci_high": found.ci_high,
                    "status": "undefined" if found.reason else "ok",
                    "reason": found.reason,
                    "confounded_by": firm.confounded_by(window),
                }
            )
    return _with_holm(_whole_numbers(_table("cars", rows), ["df"]), study)


def _with_holm(cars: pd.DataFrame, study: Computation) -> pd.DataFrame:
    """Adjust over the firms with a CAR in one window, in the group a firm is shown in (rule C18)."""
    keys = zip(cars["event_id"], cars["symbol"], cars["window_start"], cars["window_end"], strict=True)
    row = {key: place for place, key in enumerate(keys)}
    p_value, adjusted = cars["p_value"].to_numpy(dtype=float), np.full(len(cars), np.nan)
    for members in reversed(study.groups.values()):  # `all` last: a treated firm's family is the treated firms
        for window in study.inputs.plan.windows.car:
            family = [row[*firm.key, *window] for firm in members if not firm.cumulative[window].reason]
            adjusted[family] = holm(p_value[family])
    return cars.assign(p_holm=adjusted)


def aar_table(study: Computation) -> pd.DataFrame:
    """Average of the single-session abnormal returns by group and tau, with their number (rule A9)."""
    rows = []
    lo, hi = study.inputs.plan.windows.event
    for group, members in _named_groups(study):
        values: dict[int, list[float]] = {tau: [] for tau in range(lo, hi + 1)}
        for firm in members:
            if firm.abnormal is None:
                continue
            single = firm.abnormal.rows.span == 1
            for end, ar in zip(firm.abnormal.rows.end[single], firm.abnormal.ar[single], strict=True):
                values[int(end) - firm.day0].append(float(ar))
        for tau, found in values.items():
            rows.append({"group": group, "tau": tau, "n": len(found), "aar": np.mean(found) if found else np.nan})
    return _table("aar", rows)


def _named_groups(study: Computation) -> Iterator[tuple[str, tuple[FirmStudy, ...]]]:
    for group, members in study.groups.items():
        if group != UNCONFOUNDED:
            yield group, members


def caar_table(study: Computation) -> pd.DataFrame:
    """Mean of the complete CARs by group and window: not the sum of AARs once a row is missing (rule A9)."""
    rows = []
    for group in study.groups:
        for window in study.inputs.plan.windows.car:
            car = study.cross_section(group, window).car
            rows.append(
                {"group": group}
                | _bounds(window)
                | {
                    "n": len(car),
                    "caar": car.mean() if len(car) else np.nan,
                    "median_car": np.median(car) if len(car) else np.nan,
                    "n_negative": int((car < 0).sum()),
                }
            )
    return _table("caar", rows)


Draws = dict[tuple[str, Window], dict[str, PlaceboDraws | None]]


def all_placebo_draws(study: Computation) -> Draws:
    """Draw the placebo distributions the study asks for, by group and window."""
    found: Draws = {}
    wanted, plan = set(study.inputs.plan.tests), study.inputs.plan
    for group in study.groups:
        for window in plan.windows.car:
            cross = study.cross_section(group, window)
            draws = placebo_draws(cross) if cross.firms and wanted & {"placebo_caar", "placebo_scar"} else (None, None)
            found[group, window] = {
                name: drawn for name, drawn in zip(("placebo_caar", "placebo_scar"), draws, strict=True) if name in wanted
            }
        if "placebo_max" in wanted:
            after = [study.cross_section(group, window) for window in plan.windows.car if window[0] == 0]
            sections = [cross for cross in after if cross.firms]
            found[group, plan.headline_window]["placebo_max"] = placebo_max_draws(sections) if sections else None
    return found


def tests_table(study: Computation, draws: Draws) -> pd.DataFrame:
    """One row a group, window and test; a test that does not apply has the reason."""
    rows = []
    for (group, window), placebos in draws.items():
        cross = study.cross_section(group, window)
        results: list[TestResult] = [run_test(name, cross) for name in study.inputs.plan.tests if name in PARAMETRIC]
        results += [
            placebo_result(name, placebos[name], len(cross.firms), cross.staggered) for name in PLACEBO if name in placebos
        ]
        for found in results:
            rows.append(
                {"group": group}
                | _bounds(window)
                | {
                    "test": found.name,
                    "null": found.null,
                    "statistic": found.statistic,
                    "df": found.df,
                    "p_value": found.p_value,
                    "n": found.n,
                    "reason": found.reason,
                }
            )
    return _whole_numbers(_table("tests", rows), ["df"])


def placebo_table(draws: Draws) -> pd.DataFrame:
    """One row a placebo distribution: number of blocks, smallest attainable p, one-sided and non-overlapping p."""
    rows = []
    for (group, window), placebos in draws.items():
        for name, drawn in placebos.items():
            if drawn is None or not len(drawn.draws):
                continue
            apart = drawn.apart()
            rows.append(
                {"group": group}
                | _bounds(window)
                | {
                    "test": name,
                    "blocks": len(drawn.draws),
                    "floor": drawn.floor,
                    "p_value": drawn.p_value(),
                    "p_left": drawn.p_value("left"),
                    "p_right": drawn.p_value("right"),
                    "blocks_apart": len(apart.draws),
                    "p_apart": apart.p_value(),
                }
            )
    return _table("placebo", rows)


def detectable_table(study: Computation) -> pd.DataFrame:
    """Effect that would be found with probability 0.8, a firm and a group, from the estimation alone (rule D12)."""
    rows = []
    alpha = study.inputs.plan.alpha
    for window in study.inputs.plan.windows.car:
        for firm in study.firms:
            found = firm.cumulative[window]
            if not found.reason:
                rows.append(_detectable(f"{firm.key[0]}, {firm.key[1]}", window, 1, found.se, found.df, alpha))
        for group in study.groups:
            cross = study.cross_section(group, window)
            if cross.firms and cross.correlation.enough:
                se = portfolio_se(cross)
                rows.append(_detectable(group, window, len(cross.firms), se, int(cross.df.min()), alpha))
    return _table("detectable", rows)


def portfolio_se(cross: CrossSection) -> float:
    """Standard error of the group's CAAR with the full covariance (rule C7)."""
    return caar_se(cross.sigma, nearest_correlation(cross.correlation.matrix)[0], cross.shared)


def _detectable(scope: str, window: Window, n: int, se: float, df: int, alpha: float) -> Row:
    effect = minimum_detectable_effect(se, df, alpha)
    return {"scope": scope} | _bounds(window) | {"n": n, "se": se, "df": df, "effect": effect}


def market_table(study: Computation) -> pd.DataFrame:
    """The benchmark's own constant-mean abnormal return on the same windows (rule D17)."""
    rows = []
    seen = set()
    for firm in study.firms:
        key = (firm.settings.benchmark, firm.session)
        if firm.fit is None or key in seen:
            continue
        seen.add(key)
        listing = benchmark_listing(firm.listing, firm.settings.benchmark)
        own = trade_rows(listing, "trade-to-trade", study.inputs.plan.returns)
        first, last = (firm.day0 + end for end in study.inputs.plan.windows.estimation)
        fit = MODELS["mean"].fit(own.inside(first, last).without(firm.masked))
        for window in study.inputs.plan.windows.car:
            found = cumulate(fit, listing, own, firm.day0, window, study.inputs.plan.alpha)
            rows.append(
                {"benchmark": key[0], "event_session": _day(firm.session)}
                | _bounds(window)
                | {
                    "car": found.car,
                    "se_car": found.se,
                    "t": found.t,
                    "df": found.df,
                    "p_value": found.p_value,
                    "reason": found.reason,
                }
            )
    return _table("market", rows)


def benchmark_listing(listing: Listing, symbol: str) -> Listing:
    """Return the benchmark of a listing as a listing of its own."""
    status = np.where(np.isfinite(listing.benchmark), TRADED, MISSING).astype(object)
    unlimited = np.full(len(status), "", dtype=object)
    return Listing(symbol, listing.calendar, status, listing.benchmark, listing.benchmark, unlimited, listing.end)


def exclusions_table(study: Computation) -> pd.DataFrame:
    """One row an event firm that was left out."""
    return _table(
        "exclusions",
        [
            {"event_id": item.event_id, "symbol": item.symbol, "stage": item.stage, "reason": item.reason}
            for item in study.exclusions
        ],
    )


def data_table(study: Computation) -> pd.DataFrame:
    """One row a series: where it came from, its content, and what its sessions were."""
    rows = []
    for symbol, series in study.inputs.series.items():
        if series.frame.empty:
            continue
        first, last = series.frame.index[0], series.frame.index[-1]
        listing = study.listings.get(symbol) or _as_benchmark(study, symbol)
        if listing is None:
            continue
        inside = (listing.calendar.sessions >= first) & (listing.calendar.sessions <= last)
        status = listing.status[inside]
        rows.append(
            {
                "symbol": symbol,
                "source": series.source,
                "content_hash": series.content_hash,
                "first": _day(first),
                "last": _day(last),
                "sessions": int(inside.sum()),
                "traded": int(np.isin(status, [TRADED, UNKNOWN]).sum()),
                "suspended": int((status == SUSPENDED).sum()),
                "missing": int((status == MISSING).sum()),
                "limit_days": int((listing.limit[inside] != "").sum()),
            }
        )
    return _table("data", rows)


def _as_benchmark(study: Computation, symbol: str) -> Listing | None:
    for listing in study.listings.values():
        if study.inputs.firms[listing.symbol].benchmark == symbol:
            return benchmark_listing(listing, symbol)
    return None


def notes_table(study: Computation) -> pd.DataFrame:
    """What the reader must know of the data: source notes, inferences, exclusions in a sentence."""
    rows = []
    for symbol, series in study.inputs.series.items():
        rows += [{"symbol": symbol, "code": "source", "note": note} for note in series.notes]
    for symbol, listing in study.listings.items():
        rows += [{"symbol": symbol, "code": code, "note": note} for code, note in listing.notes]
    rows += [{"symbol": item.symbol, "code": item.reason, "note": item.detail} for item in study.exclusions]
    return _table("notes", rows)

