"""Writes docs/entity-list-2019.md: the study is run and its numbers are put into the page's template. `make docs-pages`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from scipy import stats

import eventstudy as es
from eventstudy.report.numbers import p_value, percent

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "entity-list-2019.md"
LISTED = {"002230.SZ": "Iflytek", "002415.SZ": "Hikvision", "002236.SZ": "Dahua"}
HEADLINE = (0, 3)


def one(table: pd.DataFrame, **wanted: Any) -> pd.Series:
    """Return the one row of a table with these values."""
    for column, value in wanted.items():
        table = table[table[column] == value]
    if len(table) != 1:
        raise SystemExit(f"{len(table)} rows for {wanted}")
    return table.iloc[0]


def change(log_return: float) -> str:
    """Return a log return as a change in value, such as −8.3%."""
    return percent(math.expm1(log_return), 1)


def between(row: pd.Series) -> str:
    """Return the interval of a CAR as changes in value."""
    return f"{change(row['ci_low'])} to {change(row['ci_high'])}"


def firms(result: es.StudyResult, window: tuple[int, int]) -> list[dict[str, str]]:
    """Return the three firms' results over a window, as texts."""
    start, end = window
    rows = [
        one(result.cars, event_id="entity-list-2019", symbol=symbol, window_start=start, window_end=end) for symbol in LISTED
    ]
    return [
        {
            "name": name, "car": change(row["car"]), "interval": between(row), "p": p_value(row["p_value"]),
            "holm": p_value(row["p_holm"]), "reason": row["reason"],
        }
        for name, row in zip(LISTED.values(), rows, strict=True)
    ]  # fmt: skip


def moved(result: es.StudyResult) -> list[dict[str, str]]:
    """Return the three firms' own returns on the first four sessions, as changes in value, or `suspended`."""
    lines = []
    for symbol, name in LISTED.items():
        rows = result.abnormal_returns.query("event_id == 'entity-list-2019' and 0 <= tau <= 3")
        rows = rows[rows["symbol"] == symbol]
        told = [change(row.ret) if row.status == "traded" else row.status for row in rows.itertuples()]
        lines.append({"name": name, "days": told, "spans": rows["span"].fillna(0).tolist()})
    return lines


def careless_mean(result: es.StudyResult) -> float:
    """Return the mean return on session 0 as a table of dates gives it: zero for a share that did not trade."""
    rows = result.abnormal_returns.query("event_id == 'entity-list-2019' and tau == 0")
    return float(rows["ret"].map(math.expm1).fillna(0).mean())


def numbers(result: es.StudyResult) -> dict[str, Any]:
    """Return everything the template asks for."""
    start, end = HEADLINE
    window = {"window_start": start, "window_end": end}
    tests, caar, known = result.tests, result.caar, result.anticipation

    def p(group: str, test: str, **other: int) -> str:
        return p_value(one(tests, group=group, test=test, **(other or window))["p_value"])

    def mean(group: str) -> str:
        return change(one(caar, group=group, **window)["caar"])

    def before(symbol: str, part: str) -> pd.Series:
        return one(known[~known["event_id"].str.contains("meiya")], symbol=symbol, part=part)

    curve = result.robustness.query("scope == 'all' and reason == ''")
    distinct = curve[curve["same_as"].isna()]
    detectable = one(result.detectable, scope="all", test="portfolio_t", **window)
    margin = detectable["se"] * stats.t.ppf(0.975, detectable["df"])
    caar_all = one(caar, group="all", **window)["caar"]
    return {
        "firms": firms(result, HEADLINE),
        "at_once": firms(result, (0, 0)),
        "moved": moved(result),
        "careless": percent(careless_mean(result), 1),
        "p": p,
        "mean": mean,
        "change": change,
        "p_value": p_value,
        "leaks": [(name, before(symbol, "leak"), before(symbol, "total")) for symbol, name in LISTED.items()],
        "pre": [(name, before(symbol, "pre_event")) for symbol, name in LISTED.items()],
        "market": one(result.market, **window),
        "mean_interval": f"{change(caar_all - margin)} to {change(caar_all + margin)}",
        "detectable": change(-detectable["effect"]),
        "distinct": len(distinct),
        "falls": int((distinct["effect"] < 0).sum()),
        "lowest": change(distinct["effect"].min()),
        "highest": percent(math.expm1(distinct["effect"].max()), 2),
        "iflytek_news": result.abnormal_returns.query("symbol == '002230.SZ' and tau == 2")["ar"].iloc[0],
    }


def page(result: es.StudyResult) -> str:
    """Return the text of the page."""
    folder = jinja2.FileSystemLoader(ROOT / "docs" / "templates")
    environment = jinja2.Environment(
        loader=folder, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template("entity-list-2019.md.jinja").render(numbers(result))


if __name__ == "__main__":
    PAGE.write_text(page(es.run_study(ROOT / "configs" / "entity-list-2019.toml")), encoding="utf-8")
