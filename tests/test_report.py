"""The page: what it says, what it must never say, and that nothing supplied from outside can change more than text."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from eventstudy.calendar import exchange_sessions
from eventstudy.prices import Fetching
from eventstudy.report import finding, render_index, render_report, scatter
from eventstudy.report.dating import mappings
from eventstudy.report.finding import ruled_out, study_finding
from eventstudy.report.known_before import known_before
from eventstudy.report.numbers import decimal, interval, p_value, percent, several_days, window
from eventstudy.report.pictures import estimation_figure
from eventstudy.report.subjects import Effect, Reading, Subject
from eventstudy.report.wording import own_words
from eventstudy.result import StudyResult
from eventstudy.run import run_study

CONFIGS = Path(__file__).parents[1] / "configs"
SESSIONS = exchange_sessions("XSHG", dt.date(2018, 1, 1)).sessions
VERSIONS = {"eventstudy": "0.0", "Python": "3"}
FORBIDDEN = re.compile(r"\b(no|little) effects?\b", re.IGNORECASE)
NASTY = {
    "script": "<script>alert(1)</script>",
    "quotes": "\"'&</style></svg><img/src=x/onerror=alert(1)>",
    "emoji": "🐉<b>龙</b>",
    "hebrew": "שלום \u202etxet",
    "formula": "$\\frac{1}{2}$ {{ 7+7 }} --!>",
}


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on what a page must not contain."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def checked(html: str) -> Page:
    """Parse a page and hold it against what is true of every page."""
    page = Page(html)
    assert len(html.encode()) < 1_000_000
    assert page.tags["script"] == 1  # the page's own, which the policy knows by its hash
    assert not page.tags["img"]
    assert not page.tags["link"]
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    for _, name, value in page.attributes:
        if name in ("src", "href", "xlink:href", "action"):
            assert value.startswith("#"), value
    assert "http://" not in html
    assert "https://" not in html
    assert "@import" not in html
    ids = page.values("id")
    assert len(ids) == len(set(ids)), [key for key, count in Counter(ids).items() if count > 1]
    pointed = [value[1:] for value in page.values("href")] + page.values("aria-labelledby")
    assert set(pointed) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)
    assert "default-src 'none'" in html
    assert not FORBIDDEN.search(page.text)
    assert not re.search(r"\b(nan|None|NaT|inf|<NA>)\b", page.text)
    assert not re.search(r"\d\*", page.text)  # no stars
    return page


def panel(folder: Path, symbols: list[str], effects: list[float] | None = None, sessions: int = 220) -> dict[str, object]:
    """Write price files of made-up firms and return a study of them, with the event at session 180."""
    rng = np.random.default_rng(20191007)
    dates = SESSIONS[:sessions]
    market = rng.normal(0, 0.01, sessions)
    rows = []
    for place, symbol in enumerate(symbols):
        noise = rng.normal(0, 0.015, sessions)
        noise[180:184] = 0.0  # the effect stands alone, so that what is said of it is certain
        returns = market + noise
        if sessions > 180:
            returns[180] += (effects or [0.0] * len(symbols))[place]
        rows.append(pd.DataFrame({"date": dates, "symbol": symbol, "close": 50 * np.exp(np.cumsum(returns)), "volume": 1000}))
    pd.concat(rows).to_csv(folder / "prices.csv", index=False)
    pd.DataFrame({"date": dates, "close": 3000 * np.exp(np.cumsum(market))}).to_csv(folder / "benchmark.csv", index=False)
    return {
        "study": {"name": "made-up"},
        "event": [{"id": "event", "session": SESSIONS[180].date(), "firms": symbols}],
        "market": {"calendar": "XSHG", "benchmark": "BENCH"},
        "data": {
            "source": "files",
            "files": {"prices": str(folder / "prices.csv"), "benchmark": str(folder / "benchmark.csv")},
        },
        "windows": {"estimation": [-80, -11], "event": [-10, 10], "car": [[0, 0], [0, 3]], "min_observations": 60},
        "model": {"name": "market", "returns": "log"},
        "inference": {"headline_window": [0, 3], "tests": ["portfolio_t", "equal_effects", "placebo_caar"]},
    }


# What the page says of the first study


def test_page_stands_on_its_own(entity_page: str) -> None:
    page = checked(entity_page)
    assert page.tags["svg"] >= 6
    assert page.values("aria-label")


def test_same_data_give_the_same_bytes(zte: StudyResult, page_of: Callable[[str], Path]) -> None:
    """Of the Entity List two written runs are compared, byte by byte, in the tests of its runs."""
    assert render_report(zte, VERSIONS) == page_of("zte").read_text(encoding="utf-8")


def test_page_names_no_moment_and_no_path(entity_page: str) -> None:
    assert dt.date.today().isoformat() not in entity_page
    assert str(CONFIGS.parent) not in entity_page


def test_finding_leads_with_firms_and_their_intervals(entity: StudyResult) -> None:
    answer = finding(entity)[1]
    assert answer.startswith("From 8 to 11 October 2019")
    for firm, words in {
        "Dahua": "11.4% (95% interval 3.6% to 18.6%)",
        "Hikvision": "8.3% (1.1% to 14.9%)",
        "Iflytek": "+3.3%",
    }.items():
        assert firm in answer
        assert words in answer
    assert "p\u00a0=" not in answer


def test_detectable_effects_come_before_p_values(entity: StudyResult) -> None:
    told = " ".join(finding(entity))
    first = re.search(r"p\u00a0[=<]|p-value", told)
    assert first is not None
    assert told.index("detects, with probability 0.8") < first.start()


def test_unlike_reactions_do_not_lead(entity: StudyResult) -> None:
    question, answer, *rest = finding(entity)
    assert "average" not in question + answer
    assert any("equal effects are rejected" in words and "average of unlike reactions" in words for words in rest)


def test_average_follows_where_equality_is_not_rejected(tmp_path: Path) -> None:
    result = run_study(panel(tmp_path, ["A", "B", "C"], [-0.08, -0.08, -0.08]))
    told = " ".join(finding(result))
    assert "unlike" not in told
    assert "On average over three firms" in told
    assert "does not show that they are equal" in told
    checked(render_report(result, VERSIONS))


def test_finding_gives_the_average_without_confounded_firms(entity: StudyResult) -> None:
    assert any("Without firms that had other news" in words and "two firms" in words for words in finding(entity))


def test_placebo_p_stands_beside_its_stationarity(entity_page: str, entity: StudyResult) -> None:
    told = finding(entity)[-1]
    assert "210 blocks" in told
    assert "0.73 to 0.89 times" in told
    assert "0.73 to 0.89" in entity_page


def test_date_is_mapped_in_words(entity_page: str) -> None:
    text = Page(entity_page).text
    assert "Dated Monday 7 October 2019 in New York, minute not known." in text
    assert (
        "Every minute of that day comes before the close of Tuesday 8 October 2019 in Shanghai (15:00, calendar XSHG), the first "
        "session after the exchange was closed from 1 to 7 October 2019." in text
    )
    assert "Hikvision and Dahua were suspended for two sessions from the event session on (8 and 9 October 2019)" in text
    assert "Thursday 10 October 2019, session 2" in text.replace("\u00a0", " ")


def test_undefined_windows_give_their_reason(entity_page: str) -> None:
    text = Page(entity_page).text
    assert "undefined: the share had not resumed trading by the end of the window not_resumed" in text


def test_confounded_windows_are_marked(entity_page: str) -> None:
    text = Page(entity_page).text
    assert "other news: nine-month profit pre-announcement" in text
    assert "Treated firms without other news in the window" in text
    assert "Clean window" in text


def test_source_notes_are_told_once_and_letters_lead_to_them(entity_page: str) -> None:
    text = Page(entity_page).text
    assert text.count("djusted for dividends as of August 2020") == text.count("levels are not those traded") == 1
    assert entity_page.count('href="#note-a"') >= 4
    assert text.count("see the notes on the data.") >= 4
    assert "a price index leaves out its members' dividends" in text.replace("’", "'")
    assert "not counted among the treated firms" in text
    assert "were not named by the event" in text


def test_chinese_names_are_in_the_page(entity_page: str) -> None:
    for name in ("科大讯飞", "海康威视", "大华股份", "美亚柏科"):
        assert name in entity_page


def test_every_test_is_told_with_its_null(entity_page: str, entity: StudyResult) -> None:
    text = Page(entity_page).text
    for name in set(entity.tests["test"]) - {"kp_bmp_blocks", "calendar_time"}:  # no industries, one date
        assert f" {name} " in text
    assert "the event changed nothing at all" in text


def test_tests_the_study_has_no_details_for_stand_in_the_table_alone(entity_page: str, entity: StudyResult) -> None:
    left_out = entity.tests[entity.tests["reason"].isin(["no_industries", "one_date"])]
    assert set(left_out["test"]) == {"kp_bmp_blocks", "calendar_time"}
    for words in ("correlation by blocks", "kp_bmp_blocks", "Calendar-time portfolio", "calendar_time"):
        assert words not in entity_page, words


def test_three_firms_cannot_reject_by_signs_and_the_table_says_it_in_words(entity_page: str) -> None:
    for name in ("Generalised sign test (Cowan)", "Wilcoxon’s signed-rank test"):
        start = rf'<tr><th scope="row"[^>]*>{re.escape(name)}</th><td>'
        row = re.search(rf'{start}.*?<td class="n">3</td>.*?</tr>', entity_page)
        assert row is not None
        assert "cannot reject at the 5% level: so few firms cannot give a p-value below the floor" in row[0], name


# Figures


def test_suspended_sessions_are_never_points(entity: StudyResult) -> None:
    for subject in Reading(entity).treated:
        path = subject.path(0, 10)
        suspended = subject.suspended_taus(0, 10)
        assert not set(path.taus) & set(suspended)
        assert bool(path.gaps) == bool(suspended)
    hikvision = next(subject for subject in Reading(entity).treated if subject.name == "Hikvision")
    assert hikvision.path(0, 10).gaps == ((-1, 2),)


def test_figure_has_one_point_a_value_and_one_bridge_a_gap(entity_page: str, entity: StudyResult) -> None:
    for place, subject in enumerate(Reading(entity).treated):
        path = subject.path(0, 10)
        svg = entity_page[entity_page.index(f'id="paths-{place}-points"') :].split("<g id=")[0]
        assert svg.count("<use ") == len(path.taus) - 1
        assert entity_page.count(f'id="paths-{place}-bridge"') == len(path.gaps)


def test_headline_can_be_read_off_the_path(entity: StudyResult) -> None:
    for subject in Reading(entity).treated:
        path = subject.path(0, 10)
        effect = subject.effect((0, 3))
        assert effect is not None
        assert path.effects[path.taus.index(3)] == effect
        assert effect.value == pytest.approx(np.expm1(subject.cumulative((0, 3)).car))


def test_figures_take_their_colours_from_the_style_sheet(entity_page: str) -> None:
    figures = re.findall(r"<svg.*?</svg>", entity_page, flags=re.DOTALL)
    assert figures
    for figure in figures:
        assert not re.search(r"#[0-9a-f]{6}\b", figure)
        assert 'role="img"' in figure
        assert "aria-label=" in figure
        assert "<style" not in figure
        assert "font-family" not in figure


# Price limits, one firm


def test_limit_close_at_the_end_is_a_bound(zte: StudyResult) -> None:
    page = checked(render_report(zte, VERSIONS))
    assert "≤ −15.43%" in page.text
    assert "limit-down close at the end" in page.text
    assert "censored" in page.text


def test_censored_headline_has_no_p_value(zte: StudyResult) -> None:
    assert zte.spec is not None
    result = run_study(zte.spec.replace(headline_window=(0, 46)))
    told = finding(result)
    assert "lost at least 55.7%" in told[1]
    assert not any("By the firm’s t" in words for words in told)
    checked(render_report(result, VERSIONS))


def test_instant_is_told_in_both_zones(zte: StudyResult) -> None:
    assert zte.spec is not None
    order = {"id": "order", "firms": ["000063.SZ"], "announced_at": "2018-04-16T09:00:00", "timezone": "America/New_York"}
    (mapping,) = mappings(Reading(run_study(zte.spec.replace(event=[order], tests=["portfolio_t"]))).subjects)
    assert (
        "Monday 16 April 2018 at 09:00 in New York (UTC−04:00), which was 21:00 on Monday 16 April 2018 in Shanghai"
        in " ".join(mapping.sentences)
    )


def test_an_hour_that_is_not_on_record_is_told_so(zte: StudyResult) -> None:
    (mapping,) = mappings(Reading(zte).subjects)
    told = " ".join(mapping.sentences)
    assert "Dated Monday 16 April 2018 in New York, minute not known." in told
    assert "Monday 16 April 2018 if it came before that close and Tuesday 17 April 2018 if after" in told
    assert "the last is taken" in told
    assert "suspended for 39 sessions" in " ".join(mapping.trading)


@pytest.mark.parametrize("config", sorted((Path(__file__).parents[1] / "configs").rglob("*.toml")), ids=lambda path: path.stem)
def test_configs_state_no_hour_of_a_report_or_an_order(config: Path) -> None:
    """The hours of the reports and of the order are on no record: a config that gave one would state a guess as a fact."""
    texts = [config.read_text(encoding="utf-8")] + [file.read_text(encoding="utf-8") for file in config.parent.glob("events.csv")]
    assert not re.search(r"(2019-05|2018-04)-\d\dT", " ".join(texts))


def test_one_firm_has_no_average(zte: StudyResult) -> None:
    assert not study_finding(Reading(zte)).average
    page = render_report(zte, VERSIONS)
    assert 'id="caar"' not in page
    assert ">Averages</h3>" not in page
    assert "with few firms it must see a much larger effect, with one it does not exist" in page


def test_masked_days_claim_of_the_leaks_no_more_than_when_they_were(entity: StudyResult) -> None:
    told = " ".join(known_before(Reading(entity)).masks)
    assert "Leaks told above fall in these days: left in, what they may have done to the shares" in told
    assert "moved the shares" not in told


def test_words_say_no_more_than_holds(entity_page: str) -> None:
    text = Page(entity_page).text
    assert "more than a set percentage above or below" in text
    assert "where the price had to stop" in text
    assert "this only describes; it tests nothing" in text
    assert "nothing happened that the study is about. No return of the event window enters" in text
    assert "abnormal return over their number" in text
    assert "All treated firms less the placebo firms “firms not listed”, [0, 3]: difference of the means" in text
    assert "masked sessions, without a difference at one decimal" in text
    assert "undefined: not computed" not in text
    assert "?;" not in text
    assert not re.search(r"\b(benchmark|Chow|Patell)'s", text)


def test_degrees_of_freedom_are_explained(entity_page: str) -> None:
    text = Page(entity_page).text
    assert "df: degrees of freedom; of an F those below, above it has N, and N − 1 where it tests equality" in text
    assert "df: returns less parameters of the model" in text
    assert "sd ratio: standard deviation in the 30 sessions before the event over that of the estimation window" in text


def test_printed_falls_fit_the_formula_of_rises(entity: StudyResult) -> None:
    effect = float(entity.detectable["effect"].iloc[0])
    fall, rise = Reading(entity).scale.effect(-effect), Reading(entity).scale.effect(effect)
    assert fall < 0 < rise == pytest.approx(1 / (1 + fall) - 1)


def test_numbers_of_event_days_cover_no_diamond_and_no_other_number(
    entity: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[list[np.ndarray]] = []

    def kept(axes: Axes, mkt: float, ret: float, places: list[np.ndarray]) -> tuple[float, float]:
        if not taken or taken[-1] is not places:
            taken.append(places)
        return free_place(axes, mkt, ret, places)

    free_place = scatter._free_place
    monkeypatch.setattr(scatter, "_free_place", kept)
    estimation_figure(Reading(entity))
    assert [len(places) - 1 for places in taken] == [8, 4, 4]  # diamonds and their numbers
    for _lines, *points in taken:
        numbers = points[len(points) // 2 :]
        between = [np.hypot(*(one - other)) for one in numbers for other in points if one is not other]
        assert min(between) > 7.5  # a digit is some six units wide, a diamond seven


# Other shapes of study


def test_staggered_dates_say_so(leak: StudyResult, page_of: Callable[[str], Path]) -> None:
    checked(page_of("leak").read_text(encoding="utf-8"))
    told = finding(leak)
    assert told[1].startswith("At each event (22 and 23 May 2019), over the event session and the session after it (")
    assert told[-1].count("independence across firms is assumed") == 1
    assert "; note on placebo dates: event dates differ, and independence across firms is assumed." in told[-1]


def test_many_firms_are_summarised(tmp_path: Path) -> None:
    symbols = [f"FIRM{number}" for number in range(12)]
    result = run_study(panel(tmp_path, symbols, [-0.05] * 12))
    page = checked(render_report(result, VERSIONS))
    answer = finding(result)[1]
    assert "the average is" in answer
    assert "of 12 firms fell" in answer
    assert "FIRM7" not in answer
    assert "FIRM7" in page.text


def test_many_unlike_firms_lead_with_their_spread(tmp_path: Path) -> None:
    symbols = [f"FIRM{number}" for number in range(12)]
    effects = [0.2 if number % 2 else -0.2 for number in range(12)]
    answer = finding(run_study(panel(tmp_path, symbols, effects)))[1]
    assert answer.index("effects differ between the firms") < answer.index("the average is")


def test_hundred_firms_stay_small(page_of: Callable[[str], Path]) -> None:
    checked(page_of("hundred").read_text(encoding="utf-8"))


def test_wide_intervals_do_not_become_absence(tmp_path: Path) -> None:
    result = run_study(panel(tmp_path, ["A", "B"]))
    answer = finding(result)[1]
    assert "leave the direction open" in answer
    checked(render_report(result, VERSIONS))


def test_excluded_event_is_told(tmp_path: Path) -> None:
    config = panel(tmp_path, ["A", "B"])
    config["event"][0]["firms"] = ["A", "B", "ABSENT"]  # type: ignore[index]
    result = run_study(config)
    page = checked(render_report(result, VERSIONS))
    assert "Left out" in page.text
    assert "the source does not know the symbol" in page.text


def test_event_still_ahead_says_so_plainly(tmp_path: Path) -> None:
    config = panel(tmp_path, ["A", "B"])
    config["event"][0]["session"] = dt.date(2030, 1, 7)  # type: ignore[index]
    result = run_study(config)
    page = checked(render_report(result, VERSIONS))
    assert finding(result)[1].startswith("Nothing can be said yet")
    assert page.tags["svg"] == 0


def test_window_that_is_not_over_says_so_plainly(tmp_path: Path) -> None:
    now = SESSIONS[181].tz_localize("UTC").to_pydatetime()
    result = run_study(panel(tmp_path, ["A", "B"], sessions=182), fetching=Fetching(now=now))
    assert finding(result)[1].startswith("Nothing can be said yet")
    assert "the window is not over yet" in checked(render_report(result, VERSIONS)).text


def test_event_at_the_end_of_the_data(tmp_path: Path) -> None:
    config = panel(tmp_path, ["A", "B"], sessions=182)
    result = run_study(config)
    page = checked(render_report(result, VERSIONS))
    assert "Nothing can be estimated" in finding(result)[1]
    assert "undefined" in page.text


@pytest.mark.parametrize("model", ["mean", "market_adjusted"])
def test_other_models_render(tmp_path: Path, model: str) -> None:
    config = panel(tmp_path, ["A", "B"])
    config["model"] = {"name": model, "returns": "simple"}
    page = checked(render_report(run_study(config), VERSIONS))
    assert "log %" not in page.text


@pytest.mark.parametrize("treatment", ["lumped", "uniform", "drop"])
def test_other_treatments_render(entity: StudyResult, treatment: str) -> None:
    assert entity.spec is not None
    spec = entity.spec.replace(suspensions=treatment, tests=["portfolio_t"])
    page = checked(render_report(run_study(spec), VERSIONS))
    assert page.tags["svg"] >= 6


# Nothing supplied from outside is more than text


def test_supplied_text_changes_nothing_but_text(tmp_path: Path) -> None:
    symbols = [re.sub(r"\s", "", text) for text in NASTY.values()]
    config = panel(tmp_path, symbols, [-0.05, 0.05, 0.0, 0.0, 0.0])
    config["study"] = {"name": "nasty", "title": NASTY["script"], "note": " ".join(NASTY.values())}
    event = config["event"][0]  # type: ignore[index]
    config["event"] = [event | {"id": NASTY["quotes"], "label": NASTY["script"], "group": NASTY["formula"]}]
    config["firm"] = [
        {"symbol": symbol, "name": text, "name_zh": text, "group": text}
        for symbol, text in zip(symbols, NASTY.values(), strict=True)
    ]
    config["mask"] = [{"from": dt.date(2018, 4, 2), "to": dt.date(2018, 4, 3), "reason": NASTY["quotes"]}]
    config["confounder"] = [{"symbol": symbols[0], "session": SESSIONS[182].date(), "label": NASTY["script"] + NASTY["hebrew"]}]
    result = run_study(config)
    html = render_report(result, VERSIONS)
    page = checked(html)
    assert html.count("<script") == 1
    assert "alert(1)" in page.text
    assert "{{ 7+7 }}" in page.text
    assert "🐉<b>龙</b>" in page.text
    assert "\u202e" not in html
    assert "\u2068שלום" in html


def test_supplied_text_in_exclusions_and_provenance(tmp_path: Path) -> None:
    config = panel(tmp_path, ["A", "B"])
    config["event"].append({"id": "<i>x</i>", "session": SESSIONS[180].date(), "firms": ["<u>gone</u>"], "label": "<s>"})  # type: ignore[attr-defined]
    page = checked(render_report(run_study(config), {"<em>": "<strong>1"}))
    assert "<u>gone</u>" in page.text
    assert "<strong>1" in page.text
    assert not page.tags["u"]
    assert not page.tags["em"]


def test_own_words_isolate_and_show() -> None:
    assert own_words("plain") == "plain"
    assert own_words("a\u202eb\x00c") == "a\ufffdb\ufffdc"
    assert own_words("שלום") == "\u2068שלום\u2069"


def test_index_lists_runs() -> None:
    runs = [{"study": "<b>s", "title": "t", "run_id": "r", "events": 3, "excluded": 0, "href": "s/r/report.html"}]
    page = Page(render_index(runs))
    assert page.values("href") == ["s/r/report.html"]
    assert "<b>s" in page.text
    assert "no run yet" in Page(render_index([])).text


# Numbers as text


def test_numbers_as_text() -> None:
    assert decimal(-1.005, 1) == "−1.0"
    assert decimal(-0.0004, 2, sign=True) == "0.00"
    assert percent(0.0332) == "+3.32%"
    assert percent(-0.0002, 1) == "−0.02%"
    assert interval(-0.1, float("nan")) == ""
    assert p_value(0.0004) == "<0.001"
    assert p_value(0.0005) == "0.001"
    assert window((-10, -1)) == "[−10,\u00a0−1]"
    assert several_days([dt.date(2019, 10, 8), dt.date(2019, 10, 9)]) == "8 and 9 October 2019"
    assert several_days([dt.date(2019, 9, 30), dt.date(2019, 10, 8)]) == "30 September 2019 and 8 October 2019"


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Effect(-0.05, -0.08, -0.02), "falls beyond 8.0%, falls smaller than 2.0%, and any rise"),
        (Effect(0.05, 0.02, 0.08), "rises beyond 8.0%, rises smaller than 2.0%, and any fall"),
        (Effect(0.01, -0.03, 0.05), "falls beyond 3.0% and rises beyond 5.0%"),
    ],
)
def test_ruled_out(effect: Effect, words: str) -> None:
    assert ruled_out(effect) == words


def test_clean_window_ends_before_the_first_news(entity: StudyResult) -> None:
    clean: dict[str, tuple[int, int] | None] = {}
    subject: Subject
    for subject in Reading(entity).treated:
        clean[subject.name] = subject.clean_window()
    assert clean == {"Iflytek": (0, 1), "Hikvision": (0, 8), "Dahua": None}


def test_headings_are_explained_under_their_table_too(entity_page: str) -> None:
    tables = re.findall(r'<table id="([^"]+)">(.*?)</table>\s*</div>\s*(<div class="notes">.*?</div>)?', entity_page, re.DOTALL)
    assert len(tables) > 15
    for anchor, table, notes in tables:
        for hint, title in re.findall(r'<th scope="col"[^>]* title="([^"]+)">([^<]+)</th>', table):
            assert hint in notes or f"{title}:" in notes, (anchor, title)
    assert "?.</p>" not in entity_page
