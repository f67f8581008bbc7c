"""What the study was made from: events, the market, models, masks, data, versions."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from eventstudy import __version__
from eventstudy.configfile import spec_text
from eventstudy.doubt import symbol_doubts
from eventstudy.further import factor_gaps
from eventstudy.report.numbers import (
    at_tau,
    confidence,
    day,
    days,
    decimal,
    interval,
    listed,
    p_value,
    percent,
    size,
    whole,
    window,
)
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished
from eventstudy.report.wording import (
    COVARIANCES,
    ESTIMATORS,
    MODELS,
    REASONS,
    TREATMENTS,
    VARIANTS,
    own_words,
    reason,
    sentence,
    visible,
)
from eventstudy.seal import TIMINGS
from eventstudy.student import critical_value

LIBRARIES = ("pandas", "statsmodels", "numpy", "scipy")
HASH_SHOWN, MOST_NAMED = 12, 10
INDEX_DIVIDENDS = "some 2% a year"  # bound on what a price index leaves out (rule D16)


def events(reading: Reading) -> Table:
    """Return the events with their sessions, excluded ones included."""
    columns = (
        Column("Firm", False), Column("Event", False), Column("Group", False), Column("Announced", False),
        Column("Event session", False), Column("First traded", False), Column("Status", False),
    )  # fmt: skip
    rows = []
    for _, row in reading.result.events.iterrows():
        status = "excluded: " + reason(row["reason"]) if row["status"] == "excluded" else reason(row["reason"]) or "ok"
        cells = tuple(own_words(str(row[name])) for name in ("event_id", "group", "announced_at"))
        rows.append(Row(reading.firm_name(row["symbol"]), (*cells, row["event_session"], row["first_traded_session"], status)))
    return finished(reading, Table("events", "Events and their sessions", columns, (Block(tuple(rows)),)))


def market(reading: Reading) -> Table:
    """Return the benchmark's own abnormal return on the same windows (rule D17)."""
    columns = (
        Column("Window", False), Column("Effect", True, "beyond the benchmark's own mean return"),
        Column(f"{confidence(reading.plan.alpha)} interval"), Column("t"), Column("df"), Column("p"),
    )  # fmt: skip
    blocks = []
    for (symbol, session), rows in reading.result.market.groupby(["benchmark", "event_session"], sort=False):
        found = tuple(_market_row(reading, row) for _, row in rows.iterrows())
        blocks.append(Block(found, f"{reading.benchmark_name(str(symbol))}, event session {_date_words(str(session))}"))
    return Table("market", "The benchmark itself, beyond its own mean", columns, tuple(blocks))


def _market_row(reading: Reading, row: pd.Series) -> Row:
    bounds = (int(row["window_start"]), int(row["window_end"]))
    strong = bounds == reading.plan.headline_window
    if row["reason"]:
        return Row(window(bounds), (Undefined(REASONS.get(row["reason"], row["reason"]), row["reason"], 5),), strong)
    effect = reading.scale.effect
    low, high = market_interval(row, reading.plan.alpha)
    cells = (
        percent(effect(row["car"])), interval(effect(low), effect(high)),
        decimal(row["t"]), whole(row["df"]), p_value(row["p_value"]),
    )  # fmt: skip
    return Row(window(bounds), cells, strong)


def market_interval(row: pd.Series, alpha: float) -> tuple[float, float]:
    """Return the interval of a row of the table `market`."""
    reach = float(critical_value(alpha, row["df"]) * row["se_car"])
    return float(row["car"]) - reach, float(row["car"]) + reach


def market_sentences(reading: Reading) -> list[str]:
    """Tell the market's own reaction in the headline window, for as many dates as can be read."""
    table, (lo, hi) = reading.result.market, reading.plan.headline_window
    here = table[(table["window_start"] == lo) & (table["window_end"] == hi) & (table["reason"] == "")]
    told = []
    for _, row in here.head(3).iterrows():
        low, high = (reading.scale.effect(end) for end in market_interval(row, reading.plan.alpha))
        told.append(
            f"Over {window((lo, hi))} around {_date_words(row['event_session'])}, the benchmark "
            f"{reading.benchmark_name(row['benchmark'])} itself moved by "
            f"{percent(reading.scale.effect(row['car']), 1)} beyond its own mean "
            f"({confidence(reading.plan.alpha)} interval {interval(low, high, 1)})."
        )
    return told


def _date_words(session: str) -> str:
    return day(dt.date.fromisoformat(session))


def models(reading: Reading) -> Table:
    """Return the fitted models with their diagnostics."""
    columns: tuple[Column, ...] = (
        Column("Firm", False), Column("Rows", True, "returns in the estimation"),
        Column("Sessions", True, "sessions these returns cover"), Column("df"), Column("α, %", True, "per session"), Column("β"),
        Column("σ, %", True, "residual standard deviation per session"), Column("R²"),
        Column("Longest span", True, "longest return of the estimation, in sessions"),
        Column("Suspended", True, "share of estimation sessions without a trade"),
        Column("Estimation share", True, "share of parameter uncertainty in the variance of the headline CAR"),
        Column("Market distance", True, "largest distance of the benchmark's headline returns from its mean, in sd"),
        Column("sd ratio", True, "30 sessions before the event over estimation window"),
    )  # fmt: skip
    further = [str(name) for name in reading.result.models.columns if str(name).startswith("coef_")]
    columns += tuple(Column(own_words(name.removeprefix("coef_")), True, "coefficient of this regressor") for name in further)
    names = {subject.firm.key: subject.label for subject in reading.subjects}
    rows = tuple(
        Row(
            names[row["event_id"], row["symbol"]],
            (
                whole(row["nobs"]), whole(row["n_sessions"]), whole(row["df_resid"]), decimal(100 * row["alpha"], 3),
                decimal(row["beta"], 3), decimal(100 * row["sigma"], 3), decimal(row["r_squared"], 3), whole(row["max_span"]),
                size(row["suspended_share"]), _share(row["estimation_error_share"]),
                decimal(row["market_leverage"]), decimal(row["pre_event_sd_ratio"]), *(decimal(row[name], 3) for name in further),
            ),
        )
        for _, row in reading.result.models.iterrows()
    )  # fmt: skip
    return finished(reading, Table("models", "Models as estimated, one a firm", columns, (Block(rows),)))


def _share(value: float) -> str:
    return "" if pd.isna(value) else size(value)


def model_sentences(reading: Reading) -> list[str]:
    """Tell model, windows, masks and the treatment of suspensions."""
    plan = reading.plan
    kind = "log returns, which add up over sessions" if plan.returns == "log" else "simple returns"
    told = [
        f"Expected returns come from the {MODELS.get(plan.model, plan.model)}. Returns are {kind}.",
        f"Estimation window {window(plan.windows.estimation)}, event window {window(plan.windows.event)}, in exchange sessions "
        f"relative to the event session; at least {plan.windows.min_observations} observations. Headline window "
        f"{window(plan.headline_window)}.",
        TREATMENTS[plan.suspensions],
    ]
    told += _regressors(reading)
    told += _variants(reading)
    told += [words for words in (ESTIMATORS[plan.model_options.estimator], COVARIANCES[plan.model_options.cov]) if words]
    for mask in plan.masks:
        whose = f" for {listed(reading.firm_name(symbol).name for symbol in mask.symbols)}" if mask.symbols else ""
        told.append(f"Left out of the estimation{whose}: {days(mask.first, mask.last)} ({own_words(mask.reason)}).")
    return told


def _regressors(reading: Reading) -> list[str]:
    """Tell what the model sets beside the benchmark, and what to know of it."""
    plan, options = reading.plan, reading.plan.model_options
    if plan.model == "peers":
        names = listed(reading.firm_name(symbol).name for symbol in options.peers)
        return [
            f"Peers: {names}, equal weights, balanced anew every session among those that traded on it and on the one "
            "before. The comparison stands on the peers being untouched by the event."
        ]
    if plan.model == "two_index":
        name, place = reading.benchmark_name(options.global_benchmark), own_words(options.global_calendar)
        return [
            f"Global index: {name}, sessions of {place}. What of its reaction belongs to the event is taken out of the "
            "abnormal returns, too."
        ]
    if plan.model == "industry":
        name = reading.benchmark_name(options.industry_benchmark)
        return [f"Industry index: {name}. If it holds the firms, it takes a part of their reaction out of the abnormal returns."]
    table = reading.study.inputs.factors
    if plan.model in ("capm", "factors") and table is not None:
        columns = listed(own_words(name) for name in (*options.factor_columns, options.risk_free_column) if name)
        gaps = factor_gaps(next(iter(reading.study.listings.values())), reading.study.inputs)
        notes = [sentence(own_words(note)) for note in (*table.notes, gaps) if note]
        where = own_words(Path(table.where).name)
        return [f"Factors: {columns}, from {where} (SHA-256 {table.content_hash[:HASH_SHOWN]}).", *notes]
    return []


def _variants(reading: Reading) -> list[str]:
    """Tell the headline CARs that stand beside the study's own."""
    told = []
    for name, words in VARIANTS.items():
        cars = [
            f"{subject.name} {percent(reading.scale.effect(found.car))}"
            for subject in reading.treated[:MOST_NAMED]
            if (found := subject.firm.variants.get(name, {}).get(reading.plan.headline_window)) is not None and not found.reason
        ]
        if cars:
            told.append(f"{words}: {listed(cars)} over {window(reading.plan.headline_window)} (all windows: variants.csv).")
    return told


def data(reading: Reading) -> Table:
    """Return the price series with what their sessions were; the whole hash stands in the title of the cell and in data.csv."""
    columns = (
        Column("Series", False), Column("Source", False), Column("First", False), Column("Last", False), Column("Sessions"),
        Column("Traded"), Column("Suspended"), Column("Missing"), Column("Limit closes"),
        Column("Content hash", False, "first digits of the SHA-256; whole below and in data.csv"),
    )  # fmt: skip
    rows = tuple(
        Row(
            reading.firm_name(row["symbol"]),
            (
                own_words(row["source"]), row["first"], row["last"],
                *(whole(row[name]) for name in ("sessions", "traded", "suspended", "missing", "limit_days")),
                row["content_hash"][:HASH_SHOWN],
            ),
        )
        for _, row in reading.result.data.iterrows()
    )  # fmt: skip
    return finished(reading, Table("data-series", "Price series", columns, (Block(rows),)))


def hashes(reading: Reading) -> list[tuple[str, str]]:
    """Return (symbol, whole content hash) of every series."""
    return [(own_words(row["symbol"]), row["content_hash"]) for _, row in reading.result.data.iterrows()]


def index_note(reading: Reading) -> str:
    """Tell that shares with dividends are set against an index without them (rule D16); empty where they are not."""
    symbols = dict.fromkeys(subject.firm.settings.benchmark for subject in reading.subjects)
    series = reading.study.inputs.series
    plain = [reading.benchmark_name(symbol) for symbol in symbols if symbol in series and series[symbol].kind == "index"]
    if not plain:
        return ""
    return (
        f"Shares are measured with their dividends, {listed(plain)} without: a price index leaves out its members' dividends, "
        f"{INDEX_DIVIDENDS}, or about 0.01% a session, spread unevenly over the year. A model’s intercept takes up its average."
    )


def data_notes(reading: Reading) -> list[tuple[str, str, str]]:
    """Return (letter or empty, firm, sentence) of every note on the data."""
    notes = [(letter, reading.firm_name(symbol).name, sentence(note)) for letter, (symbol, note) in reading.source_notes.items()]
    for symbol in reading.study.inputs.series:
        doubts = [doubt for doubt in symbol_doubts(reading.study, symbol) if doubt.severity != "info"]
        notes += [("", reading.firm_name(symbol).name, sentence(own_words(doubt.text))) for doubt in doubts]
    return notes


def exclusions(reading: Reading) -> list[tuple[str, str, str]]:
    """Return (firm, event, sentence) of every event firm left out."""
    return [
        (
            reading.firm_name(item.symbol).name, own_words(item.event_id),
            f"{sentence(reason(item.reason))} {sentence(own_words(item.detail))}",
        )
        for item in reading.study.exclusions
    ]  # fmt: skip


def confounders(reading: Reading) -> list[tuple[str, str]]:
    """Return (firm, sentence) of every piece of other news that falls near an event."""
    told = []
    for subject in reading.subjects:
        for place, label in subject.firm.confounders:
            lo, hi = reading.plan.windows.event
            where = _session_words(subject, place) if lo <= place <= hi else "outside the event window"
            told.append((subject.name, f"{own_words(label)}: {where}."))
    return told


def _session_words(subject: Subject, place: int) -> str:
    return f"first session {day(subject.date(place))}, {at_tau(place)}"


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {"eventstudy": __version__, "Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def provenance(given: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """Return the versions for the page, those given or those running."""
    return [(visible(name), visible(number)) for name, number in (given or versions()).items()]


@dataclass(frozen=True)
class SealWords:
    """A seal of the design as the page tells of it."""

    opening: str
    changes: tuple[str, ...]
    timing: str
    sealed_at: str
    sha256: str


def seals(reading: Reading) -> list[SealWords]:
    """Return how the study stands to the seals of its design, the one in force first."""
    return [
        SealWords(
            one.opening, tuple(own_words(str(change)) for change in one.changes), TIMINGS[one.timing],
            one.seal.sealed_at.isoformat(), visible(one.seal.sha256),
        )
        for one in reading.result.standings
    ]  # fmt: skip


def config_text(reading: Reading) -> str:
    """Return the config as it was read; empty for a study that never had one."""
    return visible(spec_text(reading.result.spec)) if reading.result.spec is not None else ""
