"""The conventions by which other tools' numbers differ from ours, each as a change to how one CAR is computed.

A convention changes one or two fields of a `Setting`; `evaluate` then runs the rows, models and sums that every
study runs, so that a number which a convention reproduces was made by that convention and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar
from eventstudy.models import MODELS
from eventstudy.models.linear import MarketModel
from eventstudy.returns import ReturnKind, Rows, Treatment, trade_rows
from eventstudy.setting import RowMaker, Setting, study_rows
from eventstudy.trading import TRADED, Listing


@dataclass(frozen=True)
class Convention:
    """A named way to compute otherwise.

    Parameters
    ----------
    about : str
        What it changes; two conventions about the same thing exclude each other.
    words : str
        What was done, to follow "because".
    change : callable
        From a setting to the changed one; None where it changes nothing here.
    moves : {"car", "error", "average"}
        Whether it moves the CAR itself, only what is said of its uncertainty, or only averages.
    """

    name: str
    about: str
    words: str
    change: Callable[[Setting], Setting | None]
    moves: str = "car"


class InterceptPerRow(MarketModel):
    """The market model with an intercept a return, however many sessions it spans."""

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return ones and benchmark returns."""
        return np.column_stack([np.ones(len(rows)), rows.mkt])


PER_ROW = InterceptPerRow()


def _set(**changes: object) -> Callable[[Setting], Setting | None]:
    """Return a change of fields that applies where they differ from what is there."""

    def change(setting: Setting) -> Setting | None:
        if all(getattr(setting, name) == value for name, value in changes.items()):
            return None
        return replace(setting, **changes)  # type: ignore[arg-type]

    return change


def _use_model(name: str) -> Callable[[Setting], Setting | None]:
    return lambda setting: None if setting.model.name == name else replace(setting, model=MODELS[name])


def _intercept_per_row(setting: Setting) -> Setting | None:
    return replace(setting, model=PER_ROW, variance="rows") if setting.model.name == "market" else None


def _estimate(first: int, last: int) -> Callable[[Setting], Setting | None]:
    def change(setting: Setting) -> Setting | None:
        return replace(setting, estimation=(setting.estimation[0] + first, setting.estimation[1] + last))

    return change


def _cumulate_over(first: int, last: int) -> Callable[[Setting], Setting | None]:
    def change(setting: Setting) -> Setting | None:
        window = (setting.window[0] + first, setting.window[1] + last)
        return replace(setting, window=window) if window[0] <= window[1] else None

    return change


def _shift(sessions: int) -> Callable[[Setting], Setting | None]:
    return lambda setting: replace(setting, day0=setting.day0 + sessions)


def _calendar_date(setting: Setting) -> Setting | None:
    if setting.announced is None:
        return None
    place = int(setting.listing.calendar.sessions.searchsorted(setting.announced, side="right")) - 1
    return None if place == setting.day0 else replace(setting, day0=place)


def _first_traded(setting: Setting) -> Setting | None:
    traded = np.flatnonzero(np.isfinite(setting.listing.level[setting.day0 :]))
    return replace(setting, day0=setting.day0 + int(traded[0])) if len(traded) and traded[0] else None


def _without_masks(setting: Setting) -> Setting | None:
    return replace(setting, masked=np.zeros_like(setting.masked)) if setting.masked.any() else None


def _fill_benchmark(setting: Setting) -> Setting | None:
    level = setting.listing.benchmark
    filled = pd.Series(level).ffill().to_numpy(copy=True)
    filled[setting.listing.end + 1 :] = np.nan
    if (np.isfinite(filled) == np.isfinite(level)).all():
        return None
    return replace(setting, listing=replace(setting.listing, benchmark=filled))


def _has_gaps(listing: Listing) -> bool:
    traded = np.flatnonzero(np.isfinite(listing.level))
    return bool(len(traded)) and not np.isfinite(listing.level[traded[0] : listing.end + 1]).all()


def _unlooking(rows: Rows) -> Rows:
    """Let rows enter a window whatever comes after it: a tool that fills a gap does not look where the gap closes."""
    return replace(rows, closes=rows.end)


def _naive_rows(listing: Listing, returns: ReturnKind) -> Rows:
    rows = trade_rows(listing, "trade-to-trade", returns)
    ratio = listing.benchmark[rows.end] / listing.benchmark[rows.end - 1]
    one_session = np.log(ratio) if returns == "log" else ratio - 1
    made = Rows(rows.end, np.ones_like(rows.end), rows.end, rows.ret, one_session)
    return made.take(np.isfinite(one_session))


def _carried_rows(listing: Listing, returns: ReturnKind) -> Rows:
    level = pd.Series(listing.level).ffill().to_numpy(copy=True)
    level[listing.end + 1 :] = np.nan
    return trade_rows(replace(listing, level=level), "trade-to-trade", returns)


def _zero_rows(listing: Listing, returns: ReturnKind) -> Rows:
    rows, paired = _carried_rows(listing, returns), trade_rows(listing, "trade-to-trade", returns)
    return replace(rows, ret=np.where(np.isin(rows.end, paired.end[paired.span > 1]), 0.0, rows.ret))


def _treat(name: str, rows: RowMaker, tiled: bool = True) -> Callable[[Setting], Setting | None]:
    def change(setting: Setting) -> Setting | None:
        if setting.treatment == name or not _has_gaps(setting.listing):
            return None
        listing = setting.listing
        if name in ("lumped", "zero_filled"):
            listing = replace(listing, status=np.full(len(listing.status), TRADED, dtype=object))
        return replace(setting, listing=listing, treatment=name, rows=rows, tiled=tiled)

    return change


def _own_rows(setting: Setting) -> Setting | None:
    """Keep the sessions the share traded in, and count in these."""
    listing = setting.listing
    kept = np.isfinite(listing.level)
    if not _has_gaps(listing):
        return None
    calendar = SessionCalendar(listing.calendar.name, listing.calendar.sessions[kept])
    shorter = Listing(
        listing.symbol, calendar, listing.status[kept], listing.level[kept], listing.benchmark[kept], listing.limit[kept],
        int(kept[: listing.end + 1].sum()) - 1,
    )  # fmt: skip
    return replace(
        setting, listing=shorter, masked=setting.masked[kept], day0=int(kept[: setting.day0].sum()), treatment="own_rows",
        rows=partial(study_rows, "trade-to-trade"),
    )  # fmt: skip


def _unweighted(treatment: Treatment, listing: Listing, returns: ReturnKind) -> Rows:
    return _unlooking(trade_rows(listing, treatment, returns))


def _words_of_shift(first: int, last: int) -> str:
    ends = {-1: "one session early", 1: "one session late"}
    if first == last:
        return f"estimation window {ends[first]}"
    return f"estimation window {'starts' if first else 'ends'} {ends[first or last]}"


SHIFTS = ((-1, -1), (1, 1), (-1, 0), (1, 0), (0, -1), (0, 1))

# In the order in which two of them are applied: first where the event lies, then what is computed there.
CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        "partial", "coverage", "a window that is only partly covered summed all the same", _set(tiled=False),
    ),
    Convention(
        "calendar_date", "event session",
        "the announcement's calendar date taken as the event day (the last session up to it)", _calendar_date,
    ),
    Convention("event_early", "event session", "event day one session early", _shift(-1)),
    Convention("event_late", "event session", "event day one session late", _shift(1)),
    Convention(
        "first_traded", "event session", "event day moved to the first session the share traded in", _first_traded,
    ),
    Convention("first_left_out", "window", "first abnormal return of the window left out", _cumulate_over(1, 0)),
    Convention("last_left_out", "window", "last abnormal return of the window left out", _cumulate_over(0, -1)),
    Convention("one_more_after", "window", "window one session longer at its end", _cumulate_over(0, 1)),
    Convention("one_more_before", "window", "window one session longer at its start", _cumulate_over(-1, 0)),
    *(
        Convention(f"estimation_{'_'.join(map(str, shift))}", "estimation", _words_of_shift(*shift), _estimate(*shift))
        for shift in SHIFTS
    ),
    Convention("unmasked", "masks", "masked sessions kept in the estimation", _without_masks),
    Convention("benchmark_filled", "benchmark", "missing benchmark values carried forward", _fill_benchmark),
    Convention(
        "naive", "suspensions", "the return at the resumption set against one session of the market",
        _treat("naive", _naive_rows, tiled=False),
    ),
    Convention(
        "lumped", "suspensions", "suspended days counted as zero returns (the last price carried forward)",
        _treat("lumped", _carried_rows),
    ),
    Convention(
        "zero_filled", "suspensions", "missing returns filled with zero, so that the return over the suspension is lost",
        _treat("zero_filled", _zero_rows),
    ),
    Convention(
        "uniform", "suspensions", "the return over a suspension spread evenly over its sessions",
        _treat("uniform", partial(_unweighted, "uniform"), tiled=False),
    ),
    Convention(
        "drop", "suspensions", "the return over a suspension dropped, the other sessions of the window summed",
        _treat("drop", partial(_unweighted, "drop"), tiled=False),
    ),
    Convention(
        "trade-to-trade", "suspensions", "the return over a suspension set against the market over the same sessions",
        _treat("trade-to-trade", partial(study_rows, "trade-to-trade")),
    ),
    Convention(
        "own_rows", "suspensions", "rows of suspended days left out and sessions counted in the share's own rows", _own_rows,
    ),
    Convention("simple", "returns", "simple instead of log returns", _set(returns="simple")),
    Convention("log", "returns", "log instead of simple returns", _set(returns="log")),
    Convention("mean", "model", "constant-mean model", _use_model("mean")),
    Convention("market_adjusted", "model", "market-adjusted returns (alpha 0, beta 1)", _use_model("market_adjusted")),
    Convention("market", "model", "market model", _use_model("market")),
    Convention(
        "intercept_per_row", "model", "intercept counted a return, not a session, and the variance of a return over several "
        "sessions not scaled", _intercept_per_row,
    ),
    Convention("percent", "unit", "given in per cent", _set(unit=100.0)),
    Convention(
        "sum_of_aars", "average", "the sum of each session's mean abnormal return instead of the mean of complete CARs",
        _set(averaged="aars"), "average",
    ),
    Convention("daily_variances", "variance", "sum of daily variances, without their covariance",
               _set(variance="daily"), "error"),
    Convention("no_prediction_error", "variance", "no prediction error: sigma times the root of the sessions",
               _set(variance="plain"), "error"),
    Convention("sigma_over_n", "divisor", "sigma² divided by the number of observations", _set(divisor="n"), "error"),
    Convention("sigma_over_n_1", "divisor", "sigma² divided by the number of observations less one",
               _set(divisor="n - 1"), "error"),
    Convention("df_n_1", "reference", "degrees of freedom: observations less one", _set(reference="n - 1"), "error"),
    Convention("df_n", "reference", "degrees of freedom: observations", _set(reference="n"), "error"),
    Convention("df_event", "reference", "degrees of freedom from the event window", _set(reference="event"), "error"),
    Convention("normal", "reference", "normal distribution instead of t", _set(reference="normal"), "error"),
)  # fmt: skip
