"""The pages that are looked at: of real studies, of made-up ones, of lists of runs and of comparisons."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from test_pages_of_runs import COMPARISON
from test_report import NASTY, SESSIONS, VERSIONS, panel

import eventstudy as es
from benchmarks.panels import make_panel
from eventstudy.configfile import load_study
from eventstudy.manifest import headline_effects
from eventstudy.record import state_of_result
from eventstudy.report import render_comparison, render_index, render_report
from eventstudy.result import StudyResult
from eventstudy.run import run_study

CONFIGS = Path(__file__).parents[1] / "configs"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
PAGES = (
    "entity", "zte", "one", "hundred", "thousands", "ahead", "hostile", "chinese", "index", "chinese-index", "comparison",
    "chinese-comparison",
)  # fmt: skip


def zte(_folder: Path) -> str:
    return render_report(run_study(CONFIGS / "zte-denial-2018.toml"), VERSIONS)


def leak(_folder: Path) -> str:
    return render_report(run_study(CONFIGS / "entity-list-leak-2019.toml"), VERSIONS)


def panel_example(_folder: Path) -> str:
    return render_report(run_study(CONFIGS / "panel-example" / "panel-example.toml"), VERSIONS)


def watchlist(_folder: Path) -> str:
    spec = load_study(CONFIGS / "watchlist" / "watchlist.toml")
    return render_report(run_study(spec.replace(source="snapshot")), VERSIONS)


def one_firm(folder: Path) -> str:
    return render_report(run_study(panel(folder, ["AAA"], [-0.05])), VERSIONS)


def hundred_firms(folder: Path) -> str:
    symbols = [f"F{place:03d}" for place in range(100)]
    config = panel(folder, symbols, [0.001 * place - 0.05 for place in range(100)])
    config["windows"] |= {"estimation": [-55, -11], "min_observations": 40}  # type: ignore[operator]
    return render_report(run_study(config | {"inference": {"headline_window": [0, 3], "tests": ["portfolio_t"]}}), VERSIONS)


def ahead(folder: Path) -> str:
    config = panel(folder, ["AAA", "BBB"], sessions=175)
    return render_report(run_study(config), VERSIONS)


def supplied(folder: Path, texts: list[str]) -> str:
    """Return the page of a study whose every text from outside is one of these."""
    symbols = ["".join(text.split()) for text in texts]
    config = panel(folder, symbols, [-0.05, 0.05, 0.0, 0.0, 0.0, 0.0])
    event = config["event"][0]  # type: ignore[index]
    config |= {
        "study": {"name": "supplied", "title": texts[0], "note": " ".join(texts)},
        "event": [event | {"id": texts[1], "label": texts[0], "group": texts[4]}],
        "firm": [
            {"symbol": symbol, "name": f"{text} {text}", "name_zh": f"{text}·{text}", "group": text}
            for symbol, text in zip(symbols, texts, strict=True)
        ],
        "mask": [{"from": SESSIONS[60].date(), "to": SESSIONS[61].date(), "reason": texts[1]}],
        "confounder": [{"symbol": symbols[0], "session": SESSIONS[182].date(), "label": texts[0] + texts[3]}],
    }
    return render_report(run_study(config), {"package": texts[0]})


def hostile(folder: Path) -> str:
    return supplied(folder, [*NASTY.values(), "Wwwwiiii" * 32])


def thousands(_folder: Path) -> str:
    """Return the page of 3,000 events in two groups, one of them left out."""
    made = make_panel(3_000)
    events = made.events.assign(group=["large", "small"] * 1_500)
    events.loc[len(events)] = ["gone", "GONE", events["session"].iloc[0], "small"]
    windows = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 0), (0, 3)], min_observations=70)
    chosen = ["portfolio_t", "kp_bmp", "cross_sectional_t", "grank", "corrado_zivney", "hotelling"]
    result = es.event_study(
        events, made.prices, made.benchmark, windows=windows, returns="log", tests=chosen, headline_window=(0, 3),
    )  # fmt: skip
    return render_report(result, VERSIONS)


@cache
def chinese_study() -> StudyResult:
    return run_study(load_study(CONFIGS / "entity-list-2019-zh.toml").replace(tests=["portfolio_t", "placebo_caar"]))


def chinese(_folder: Path) -> str:
    return render_report(chinese_study(), VERSIONS)


def comparison(_folder: Path) -> str:
    return render_comparison(COMPARISON)


def chinese_comparison(_folder: Path) -> str:
    return render_comparison(COMPARISON, state_of_result(chinese_study()))


def chinese_index(_folder: Path) -> str:
    run = {
        "study": "entity-list-2019-zh", "run_id": "r", "title": "2019年10月美国实体清单新增企业", "language": "zh",
        "created": "2026-11-26T13:03:55+00:00", "state": "complete", "effects": headline_effects(chinese_study()),
        "headline": {"window": [0, 3]}, "sessions": ["2019-05-22", "2019-10-08"], "events": 8, "excluded": 0,
        "href": "entity-list-2019-zh/r/report.html", "changes": {"counts": {"revision": 2, "result": 1197}},
    }  # fmt: skip
    return render_index([run])


MADE: dict[str, Callable[[Path], str]] = {
    "zte": zte, "leak": leak, "panel-example": panel_example, "watchlist": watchlist, "one": one_firm, "hundred": hundred_firms,
    "thousands": thousands, "ahead": ahead, "hostile": hostile, "chinese": chinese, "chinese-index": chinese_index,
    "comparison": comparison, "chinese-comparison": chinese_comparison,
}  # fmt: skip
