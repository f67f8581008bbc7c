"""The result tables: one function a table, columns as documented, NaN or empty where undefined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import HeldReturn, buy_and_hold
from eventstudy.characteristics import undescribed_firms
from eventstudy.diagnostics import model_diagnostics
from eventstudy.doubt import event_doubts, listing_of, series_doubts, symbol_doubts
from eventstudy.draws import Draws
from eventstudy.further import factor_gaps
from eventstudy.inference.multiple import benjamini_hochberg, holm, romano_wolf
from eventstudy.models.options import THIN
from eventstudy.study import UNCONFOUNDED, Computation, FirmStudy
from eventstudy.trading import MISSING, SUSPENDED, TRADED, UNKNOWN
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
    "power": [
        "group", "window_start", "window_end", "test", "dates", "dates_apart", "size", "power", "effect", "verdict", "reason",
    ],
    "power_curve": ["group", "window_start", "window_end", "test", "effect", "power"],
    "correlation": ["group", "window_start", "window_end", "n", "mean_correlation", "se"],
    "market": ["benchmark", "event_session", "window_start", "window_end", "car", "se_car", "t", "df", "p_value", "reason"],
    "cross_section": [
        "group", "window_start", "window_end", "term", "coefficient", "se", "t", "df", "p_value", "ci_low", "ci_high", "n",
        "r_squared", "reason",
    ],
    "money": [
        "event_id", "symbol", "window_start", "window_end", "market_value_before", "effect", "ci_low", "ci_high", "currency",
        "reason", "scope", "n", "n_with_car", "close_before", "close_session", "placebo_low", "placebo_high",
        "loss_rejected_beyond", "blocks",
    ],
    "bhar": ["event_id", "symbol", "window_start", "window_end", "bhar", "firm_return", "benchmark_return", "reason"],
    "variants": [
        "event_id", "symbol", "window_start", "window_end", "variant", "car", "se_car", "t", "df", "p_value", "reason",
    ],
    "robustness": [
        "specification", "headline", "model", "returns", "suspensions", "benchmark", "estimation_start", "estimation_end",
        "mask", "window_start", "window_end", "event_id", "scope", "n", "nobs", "effect", "se", "t", "df", "p_value", "reason",
        "same_as",
    ],
    "notes": ["symbol", "code", "note"],
    "unlock": [
        "event_id", "symbol", "first_limit_session", "unlock_session", "unlock_tau", "suggested_start", "suggested_end",
    ],
    "limit_days": [
        "event_id", "symbol", "treatment", "window_start", "window_end", "car", "se_car", "t", "df", "p_value", "censored",
        "reason",
    ],
    "anticipation": [
        "event_id", "symbol", "part", "news", "estimation", "window_start", "window_end", "first_session", "last_session",
        "nobs", "car", "se_car", "t", "df", "p_value", "reason",
    ],
    "anticipation_tests": [
        "part", "group", "window_start", "window_end", "test", "null", "statistic", "df", "p_value", "n", "reason",
    ],
    "diagnostics": ["event_id", "symbol", "diagnostic", "statistic", "p_value", "flag"],
}  # fmt: skip

APPROXIMATE = (
    "the standard errors are those of the market model on the same rows, an approximation for this model: the placebo p-values "
    "do without"
)
NOT_IDENTIFIED = "the GARCH variance is not identified on the estimation window: the firm falls back to the market model"
NEWS_IN_GLOBAL = (
    "the global index had sessions between the announcement and the event session's open, so it may hold the event itself: "
    "the table variants has the CARs without what it earned there"
)

Row = dict[str, Any]


def as_table(name: str, rows: list[Row]) -> pd.DataFrame:
    """Return rows as the table `name`: its columns first, further ones behind."""
    extra = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in COLUMNS[name]]
    return pd.DataFrame(rows, columns=[*COLUMNS[name], *extra])


def day(session: pd.Timestamp | None) -> str:
    """Write a session as its ISO date, empty where there is none."""
    return "" if session is None or pd.isna(session) else f"{session:%Y-%m-%d}"


def keys_of(firm: FirmStudy) -> Row:
    """Key columns of a firm and event."""
    return {"event_id": firm.key[0], "symbol": firm.key[1]}


def bounds(window: Window) -> Row:
    """Columns of a window."""
    return {"window_start": window[0], "window_end": window[1]}


def events_table(study: Computation) -> pd.DataFrame:
    """One row a firm and event, excluded ones included."""
    rows = []
    for firm in study.firms:
        event = firm.dated.event
        rows.append(
            keys_of(firm)
            | {
                "name": firm.settings.name,
                "group": event.group or firm.settings.group,
                "announced_at": str(event.announcement),
                "event_session": day(firm.session),
                "first_traded_session": day(_first_traded(firm)),
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
    return as_table("events", rows)


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
            keys_of(firm)
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
            | dict(fit.details)
        )
    return as_table("models", rows)


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
            row = keys_of(firm) | {
                "tau": tau,
                "session": day(listing.calendar.sessions[session]),
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
    return whole_numbers(as_table("abnormal_returns", rows), ["span"])


def whole_numbers(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Make columns integers that may be missing."""
    return table.assign(**{name: table[name].astype("Int64") for name in columns})


def cars_table(study: Computation, draws: Draws | None = None) -> pd.DataFrame:
    """One row a firm and window, undefined ones with the reason; without draws no p-values by Romano and Wolf."""
    rows = []
    for firm in study.firms:
        for window, found in firm.cumulative.items():
            rows.append(
                keys_of(firm)
                | bounds(window)
                | {
                    "car": found.car,
                    "se_car": found.se,
                    "t": found.t,
                    "df": None if found.reason or (firm.fit and firm.fit.session_variance) else found.df,
                    "p_value": found.p_value,
                    "p_holm": np.nan,
                    "ci_low": found.ci_low,
                    "ci_high": found.ci_high,
                    "status": "undefined" if found.reason else "ok",
                    "reason": found.reason,
                    "confounded_by": firm.confounded_by(window),
                    "censored": firm.censored(window),
                    "complete_on": day(firm.complete_on(window)),
                }
            )
    return _adjusted(whole_numbers(as_table("cars", rows), ["df"]), study, draws)


def bhar_table(study: Computation) -> pd.DataFrame:
    """One row a firm and window: simple returns over the whole of it, or the reason why there are none (rule A1)."""
    rows = []
    for firm in study.firms:
        for window, found in firm.cumulative.items():
            held = HeldReturn(np.nan, np.nan, found.reason)
            if firm.session is not None and found.reason != "provisional":
                held = buy_and_hold(firm.listing, firm.day0, window)
            returns = {"bhar": held.abnormal, "firm_return": held.firm, "benchmark_return": held.benchmark, "reason": held.reason}
            rows.append(keys_of(firm) | bounds(window) | returns)
    return as_table("bhar", rows)


def variants_table(study: Computation) -> pd.DataFrame:
    """CARs that stand beside the study's own, one row a firm, variant and window; empty for most models."""
    rows = []
    for firm in study.firms:
        for name, windows in firm.variants.items():
            for window, found in windows.items():
                numbers = {"car": found.car, "se_car": found.se, "t": found.t, "p_value": found.p_value, "reason": found.reason}
                rows.append(
                    keys_of(firm) | bounds(window) | {"variant": name, "df": None if found.reason else found.df} | numbers
                )
    return whole_numbers(as_table("variants", rows), ["df"])


def _adjusted(cars: pd.DataFrame, study: Computation, draws: Draws | None) -> pd.DataFrame:
    """Adjust over the firms with a CAR in one window, in the group a firm is shown in (rule C18)."""
    keys = zip(cars["event_id"], cars["symbol"], cars["window_start"], cars["window_end"], strict=True)
    row = {key: place for place, key in enumerate(keys)}
    twins: dict[Any, list[FirmStudy]] = {}
    for firm in study.firms:
        twins.setdefault(firm.symbol_session, []).append(firm)
    p_value, t = cars["p_value"].to_numpy(dtype=float), cars["t"].to_numpy(dtype=float)
    columns = {name: np.full(len(cars), np.nan) for name in ("p_holm", "p_bh", "p_romano_wolf")}
    groups = {name: members for name, members in study.groups.items() if name != UNCONFOUNDED}
    for group, members in reversed(groups.items()):  # `all` last: a treated firm's family is the treated firms
        for window in study.inputs.plan.windows.car:
            family = [firm for firm in members if not firm.cumulative[window].reason]
            places = [row[*firm.key, *window] for firm in family]
            found = {"p_holm": holm(p_value[places]), "p_bh": benjamini_hochberg(p_value[places])}
            blocks = draws.blocks.get((group, window)) if draws else None
            if blocks is not None and len(blocks.starts):
                found["p_romano_wolf"] = romano_wolf(np.abs(t[places]), np.abs(blocks.scar))
            for name, values in found.items():
                for firm, value in zip(family, values, strict=True):
                    columns[name][[row[*twin.key, *window] for twin in twins[firm.symbol_session]]] = value
    return cars.assign(**columns)

def exclusions_table(study: Computation) -> pd.DataFrame:
    """One row an event firm that was left out."""
    return as_table(
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
        listing = listing_of(study, symbol)
        if listing is None:
            continue
        settings = study.inputs.firms.get(symbol)
        limit = settings.price_limit if settings else None
        doubts = series_doubts(series, listing, limit)
        inside = (listing.calendar.sessions >= first) & (listing.calendar.sessions <= last)
        status = listing.status[inside]
        rows.append(
            {
                "symbol": symbol,
                "source": series.source,
                "content_hash": series.content_hash,
                "first": day(first),
                "last": day(last),
                "sessions": int(inside.sum()),
                "traded": int(np.isin(status, [TRADED, UNKNOWN]).sum()),
                "suspended": int((status == SUSPENDED).sum()),
                "missing": int((status == MISSING).sum()),
                "limit_days": int((listing.limit[inside] != "").sum()) if limit and series.frame["close"].notna().any() else None,
                "doubts": "; ".join(f"{item.code} {item.count}" for item in doubts if item.severity != "info"),
            }
        )
    return whole_numbers(as_table("data", rows), ["limit_days"])


def notes_table(study: Computation) -> pd.DataFrame:
    """What the reader must know of the data: source notes, inferences, exclusions in a sentence."""
    rows = []
    for symbol, series in study.inputs.series.items():
        rows += [{"symbol": symbol, "code": "source", "note": note} for note in series.notes]
    if study.inputs.plan.model in THIN:
        rows.append({"symbol": "", "code": "approximate_se", "note": APPROXIMATE})
    for symbol in study.inputs.series:
        found = [doubt for doubt in symbol_doubts(study, symbol) if doubt.severity != "info"]
        rows += [{"symbol": symbol, "code": doubt.code, "note": doubt.text} for doubt in found]
    if study.inputs.factors is not None:
        gaps = factor_gaps(next(iter(study.listings.values())), study.inputs)
        rows += [{"symbol": "", "code": "factors", "note": note} for note in (*study.inputs.factors.notes, gaps) if note]
    for firm in study.firms:
        found = [doubt for doubt in event_doubts(firm) if doubt.severity == "error"]
        rows += [{"symbol": firm.key[1], "code": doubt.code, "note": doubt.text} for doubt in found]
        if study.inputs.plan.model == "garch" and firm.fit is not None and firm.fit.model.name != "garch":
            rows.append({"symbol": firm.key[1], "code": "garch_not_identified", "note": NOT_IDENTIFIED})
        if "without_news" in firm.variants:
            rows.append({"symbol": firm.key[1], "code": "news_in_global_index", "note": NEWS_IN_GLOBAL})
    rows += [{"symbol": item.symbol, "code": item.reason, "note": item.detail} for item in study.exclusions]
    for firm, why in undescribed_firms(study):
        rows.append({"symbol": firm.key[1], "code": "no_characteristic", "note": f"event {firm.key[0]}: {why}"})
    return as_table("notes", rows)

