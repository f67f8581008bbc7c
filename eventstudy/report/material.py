"""What the study was made from: events, the market, models, masks, data, versions."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from eventstudy import __version__
from eventstudy.configfile import spec_text
from eventstudy.doubt import symbol_doubts
from eventstudy.further import factor_gaps
from eventstudy.report.language import _, spoken
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
    running,
    size,
    whole,
    window,
)
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, explained, finished, one_firm_a_line, own_null
from eventstudy.report.wording import (
    COVARIANCES,
    ESTIMATORS,
    MODELS,
    TREATMENTS,
    VARIANTS,
    own_words,
    reason,
    said,
    sentence,
    visible,
    why,
)
from eventstudy.student import critical_value
from eventstudy.told import Told

LIBRARIES = ("pandas", "statsmodels", "numpy", "scipy")
HASH_SHOWN, MOST_NAMED = 12, 10


def events(reading: Reading) -> Table:
    """Return the events with their sessions, excluded ones included."""
    columns = (
        Column(_("Firm"), False), Column(_("Event"), False), Column(_("Group"), False), Column(_("Announced"), False),
        Column(_("Event session"), False), Column(_("First traded"), False), Column(_("Status"), False),
    )  # fmt: skip
    rows = []
    for _place, row in reading.result.events.iterrows():
        told = reason(row["reason"])
        status = _("excluded: {reason}", reason=told) if row["status"] == "excluded" else told or _("ok")
        cells = tuple(own_words(str(row[name])) for name in ("event_id", "group", "announced_at"))
        rows.append(Row(reading.firm_name(row["symbol"]), (*cells, row["event_session"], row["first_traded_session"], status)))
    notes = (_("N = {count}: each line is one firm at one event.", count=whole(len(rows))),)
    return finished(reading, Table("events", _("Events and their sessions"), columns, (Block(tuple(rows)),), notes))


def market(reading: Reading) -> Table:
    """Return the benchmark's own abnormal return on the same windows (rule D17)."""
    columns = (
        Column(_("Window"), False), Column(_("Effect"), True, _("beyond the benchmark’s own mean return")),
        Column(_("{level} interval", level=confidence(reading.plan.alpha))), Column("t"), Column(_("df")), Column("p"),
    )  # fmt: skip
    blocks = []
    for (symbol, session), rows in reading.result.market.groupby(["benchmark", "event_session"], sort=False):
        found = tuple(_market_row(reading, row) for _place, row in rows.iterrows())
        heading = _(
            "{benchmark}, event session {day}", benchmark=reading.benchmark_name(str(symbol)), day=_date_words(str(session))
        )
        blocks.append(Block(found, heading))
    notes = (own_null(), _("Each line is one index at one event session: N = 1."))
    return explained(Table("market", _("The benchmark itself, beyond its own mean"), columns, tuple(blocks), notes))


def _market_row(reading: Reading, row: pd.Series) -> Row:
    bounds = (int(row["window_start"]), int(row["window_end"]))
    strong = bounds == reading.plan.headline_window
    if row["reason"]:
        return Row(window(bounds), (Undefined(why(row["reason"]), row["reason"], 5),), strong)
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
    for _place, row in here.head(3).iterrows():
        low, high = (reading.scale.effect(end) for end in market_interval(row, reading.plan.alpha))
        told.append(
            _(
                "Over {window} around {day}, the benchmark {benchmark} itself moved by {effect} beyond its own mean ({level} "
                "interval {interval}).",
                window=window((lo, hi)), day=_date_words(row["event_session"]),
                benchmark=reading.benchmark_name(row["benchmark"]), effect=percent(reading.scale.effect(row["car"]), 1),
                level=confidence(reading.plan.alpha), interval=interval(low, high, 1),
            )
        )  # fmt: skip
    return told


def _date_words(session: str) -> str:
    return day(dt.date.fromisoformat(session))


def models(reading: Reading) -> Table:
    """Return the fitted models with their diagnostics."""
    columns: tuple[Column, ...] = (
        Column(_("Firm"), False), Column(_("Rows"), True, _("returns in the estimation")),
        Column(_("Sessions"), True, _("sessions these returns cover")),
        Column(_("df"), True, _("returns less parameters of the model")), Column("α, %", True, _("per session")),
        Column("β"),
        Column("σ, %", True, _("residual standard deviation per session")), Column("R²"),
        Column(_("Longest span"), True, _("longest return of the estimation, in sessions")),
        Column(_("Suspended"), True, _("share of estimation sessions without a trade")),
        Column(_("Estimation share"), True, _("share of parameter uncertainty in the variance of the headline CAR")),
        Column(_("Market distance"), True, _("largest distance of the benchmark’s headline returns from its mean, in sd")),
        Column(_("sd ratio"), True, _(
            "standard deviation in the 30 sessions before the event over that of the estimation window"
        )),
    )  # fmt: skip
    further = [str(name) for name in reading.result.models.columns if str(name).startswith("coef_")]
    columns += tuple(Column(own_words(name.removeprefix("coef_")), True, _("coefficient of this regressor")) for name in further)
    names = {subject.firm.key: subject.label for subject in reading.subjects}
    rows = tuple(
        Row(
            names[row["event_id"], row["symbol"]],
            (
                whole(row["nobs"]), whole(row["n_sessions"]), whole(row["df_resid"]), decimal(100 * row["alpha"], 3),
                decimal(row["beta"], 3), decimal(100 * row["sigma"], 3), decimal(row["r_squared"], 3), whole(row["max_span"]),
                _share(row["suspended_share"]), _share(row["estimation_error_share"]),
                decimal(row["market_leverage"]), decimal(row["pre_event_sd_ratio"]), *(decimal(row[name], 3) for name in further),
            ),
        )
        for _place, row in reading.result.models.iterrows()
    )  # fmt: skip
    return finished(reading, Table("models", _("Models as estimated, one a firm"), columns, (Block(rows),), (one_firm_a_line(),)))


def _share(value: float) -> str:
    return "" if pd.isna(value) else size(value) if value else "0.0%"  # with the digits of its column


def model_sentences(reading: Reading) -> list[str]:
    """Tell model, windows, masks and the treatment of suspensions."""
    plan = reading.plan
    log = plan.returns == "log"
    told = [
        running(
            (
                _("Expected returns come from the {model}.", model=_(MODELS.get(plan.model, plan.model))),
                _("Returns are log returns, which add up over sessions.") if log else _("Returns are simple returns."),
            )
        ),
        _(
            "Estimation window {estimation}, event window {event}, in exchange sessions relative to the event session; at least "
            "{least} observations. Headline window {headline}.",
            estimation=window(plan.windows.estimation), event=window(plan.windows.event), least=plan.windows.min_observations,
            headline=window(plan.headline_window),
        ),
        _(TREATMENTS[plan.suspensions]),
    ]  # fmt: skip
    told += _regressors(reading)
    told += _variants(reading)
    told += [_(words) for words in (ESTIMATORS[plan.model_options.estimator], COVARIANCES[plan.model_options.cov]) if words]
    for mask in plan.masks:
        about = {"days": days(mask.first, mask.last), "reason": own_words(mask.reason)}
        if mask.symbols:
            firms = listed(reading.firm_name(symbol).name for symbol in mask.symbols)
            told.append(_("Left out of the estimation for {firms}: {days} ({reason}).", **about, firms=firms))
        else:
            told.append(_("Left out of the estimation: {days} ({reason}).", **about))
    return told


def _regressors(reading: Reading) -> list[str]:
    """Tell what the model sets beside the benchmark, and what to know of it."""
    plan, options = reading.plan, reading.plan.model_options
    if plan.model == "peers":
        names = listed(reading.firm_name(symbol).name for symbol in options.peers)
        return [
            _(
                "Peers: {names}, equal weights, balanced anew every session among those that traded on it and on the one "
                "before. The comparison stands on the peers being untouched by the event.",
                names=names,
            )
        ]
    if plan.model == "two_index":
        name, place = reading.benchmark_name(options.global_benchmark), own_words(options.global_calendar)
        return [
            _(
                "Global index: {name}, sessions of {place}. What of its reaction belongs to the event is taken out of the "
                "abnormal returns, too.",
                name=name, place=place,
            )
        ]
    if plan.model == "industry":
        name = reading.benchmark_name(options.industry_benchmark)
        return [_(
            "Industry index: {name}. If it holds the firms, it takes a part of their reaction out of the abnormal returns.",
            name=name,
        )]
    table = reading.study.inputs.factors
    if plan.model in ("capm", "factors") and table is not None:
        columns = listed(own_words(name) for name in (*options.factor_columns, options.risk_free_column) if name)
        gaps = factor_gaps(next(iter(reading.study.listings.values())), reading.study.inputs)
        notes = [sentence(said(note)) for note in (*table.notes, gaps) if note]
        where = own_words(Path(table.where).name)
        told = _(
            "Factors: {columns}, from {file} (SHA-256 {hash}).", columns=columns, file=where, hash=table.content_hash[:HASH_SHOWN]
        )
        return [told, *notes]
    return []


def _variants(reading: Reading) -> list[str]:
    """Tell the headline CARs that stand beside the study's own."""
    told = []
    for name, words in VARIANTS.items():
        cars = [
            _("{firm} {effect}", firm=subject.name, effect=percent(reading.scale.effect(found.car)))
            for subject in reading.treated[:MOST_NAMED]
            if (found := subject.firm.variants.get(name, {}).get(reading.plan.headline_window)) is not None and not found.reason
        ]
        if cars:
            told.append(_(words, effects=listed(cars), window=window(reading.plan.headline_window)))
    return told


def data(reading: Reading) -> Table:
    """Return the price series with what their sessions were; the whole hash stands in the title of the cell and in data.csv."""
    columns = (
        Column(_("Series"), False), Column(_("Source"), False), Column(_("First"), False), Column(_("Last"), False),
        Column(_("Sessions")),
        Column(_("Traded")), Column(_("Suspended")), Column(_("Missing")), Column(_("Limit closes")),
        Column(_("Content hash"), False, _("first digits of the SHA-256; whole below and in data.csv")),
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
        for _place, row in reading.result.data.iterrows()
    )  # fmt: skip
    notes = (_("N = {count}: each line is one series of prices.", count=whole(len(rows))),)
    return finished(reading, Table("data-series", _("Price series"), columns, (Block(rows),), notes))


def hashes(reading: Reading) -> list[tuple[str, str]]:
    """Return (symbol, whole content hash) of every series."""
    return [(own_words(row["symbol"]), row["content_hash"]) for _place, row in reading.result.data.iterrows()]


def index_note(reading: Reading) -> str:
    """Tell that shares with dividends are set against an index without them (rule D16); empty where they are not."""
    symbols = dict.fromkeys(subject.firm.settings.benchmark for subject in reading.subjects)
    series = reading.study.inputs.series
    plain = [reading.benchmark_name(symbol) for symbol in symbols if symbol in series and series[symbol].kind == "index"]
    if not plain:
        return ""
    return (
        _(
            "Shares are measured with their dividends, {indices} without: a price index leaves out its members’ dividends, some "
            "2% a year, or about 0.01% a session, spread unevenly over the year. A model’s intercept takes up its average.",
            indices=listed(plain),
        )
    )


def data_notes(reading: Reading) -> list[tuple[str, str, str]]:
    """Return (letter or empty, firm, sentences) of every note on the data; what else is found of a series ends its last note."""
    lettered: dict[str, list[tuple[str, str]]] = {}
    for letter, (symbol, note) in reading.source_notes.items():
        lettered.setdefault(symbol, []).append((letter, sentence(note)))
    notes = []
    for symbol in dict.fromkeys([*lettered, *reading.study.inputs.series]):
        doubts = [doubt for doubt in symbol_doubts(reading.study, symbol) if doubt.severity != "info"]
        *earlier, (letter, last) = lettered.get(symbol, [("", "")])
        told = running((last, *(sentence(said(doubt.text)) for doubt in doubts)))
        notes += [(letter, reading.firm_name(symbol).name, words) for letter, words in (*earlier, (letter, told)) if words]
    return notes


def exclusions(reading: Reading) -> list[tuple[str, str, str]]:
    """Return (firm, event, sentence) of every event firm left out."""
    return [
        (
            reading.firm_name(item.symbol).name, own_words(item.event_id),
            running((sentence(reason(item.reason)), sentence(_detail(item.detail)))),
        )
        for item in reading.study.exclusions
    ]  # fmt: skip


def _detail(text: str) -> str:
    """Return what was found; the English words of a source or a model stand on an English page only: see notes.csv."""
    return said(text) if isinstance(text, Told) or spoken() == "en" else ""


def confounders(reading: Reading) -> list[tuple[str, str]]:
    """Return (firm, sentence) of every piece of other news that falls near an event."""
    told = []
    for subject in reading.subjects:
        for place, label in subject.firm.confounders:
            lo, hi = reading.plan.windows.event
            where = _session_words(subject, place) if lo <= place <= hi else _("outside the event window")
            told.append((subject.name, _("{label}: {where}.", label=own_words(label), where=where)))
    return told


def _session_words(subject: Subject, place: int) -> str:
    return _("first session {day}, {tau}", day=day(subject.date(place)), tau=at_tau(place))


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {"eventstudy": __version__, "Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def provenance(given: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """Return the versions for the page, those given or those running."""
    return [(visible(name), visible(number)) for name, number in (given or versions()).items()]


def config_text(reading: Reading) -> str:
    """Return the config as it was read; empty for a study that never had one."""
    return visible(spec_text(reading.result.spec)) if reading.result.spec is not None else ""
