"""The page in Chinese: nothing of it is left in English, its numbers are those of the English page, the catalogue is complete."""

from __future__ import annotations

import ast
import re
import string
import threading
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import eventstudy as es
import eventstudy.report
from eventstudy.changes import Change, Comparison
from eventstudy.errors import ConfigError
from eventstudy.manifest import headline_effects
from eventstudy.panel.result import PanelResult
from eventstudy.record import state_of_result
from eventstudy.report import finding, render_comparison, render_index, render_report
from eventstudy.report.language import LANGUAGES, _, written_in
from eventstudy.report.numbers import FIXED, day, days, interval, listed, money, ordinal, running
from eventstudy.report.wording import NOTES, said
from eventstudy.result import StudyResult
from eventstudy.sources.snapshot import SnapshotSource
from eventstudy.told import Several, Told

VERSIONS = {"eventstudy": "0.0"}
REPORT = Path(eventstudy.report.__file__).parent
# A run of three Latin words is a sentence left in English; names of tests, files, keys and models are not.
RUN = re.compile(r"[A-Za-z][A-Za-z’'-]*(?:[ ,;:]+[A-Za-z][A-Za-z’'-]*){2,}")
ALLOWED = re.compile(r"^(Boehmer|Musumeci|Scholes|CAR |Newey|North)")

# A comma or semicolon of Latin script beside a Chinese character; between numbers, as in [0, 3], it is right
HALF_WIDTH = re.compile(r"[\u3001-\u9fff\uff00-\uffef][;,] |[;,] [\u3001-\u9fff\uff00-\uffef]")


class Words(HTMLParser):
    """Every text of a page and every attribute that is read aloud or shown, without config, style sheet and script."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.told: list[str] = []
        self.cells: list[str] = []
        self.shapes: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.told += [value for name, value in attrs if name in ("aria-label", "title", "alt") and value]
        self.shapes += [value for name, value in attrs if name == "d" and value]
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "script", "pre", "code"} & set(self.open):
            self.told.append(data)
            if "td" in self.open:
                self.cells.append(data)


def english_left(html: str) -> list[str]:
    return [text for text in Words(html).told if (found := RUN.search(text)) and not ALLOWED.match(found[0])]


def written(result: StudyResult, language: str = "zh") -> str:
    return render_report(result, VERSIONS, language=language)


@pytest.fixture(scope="module")
def study(root: Path) -> StudyResult:
    return es.run_study(root / "configs" / "entity-list-2019-zh.toml")


@pytest.fixture(scope="module")
def page(study: StudyResult) -> str:
    return render_report(study, VERSIONS)


def test_the_config_asks_for_the_language(page: str) -> None:
    assert '<html lang="zh-CN">' in page
    assert "涉事公司" in page
    assert "Noto Sans CJK SC" in page


def test_no_english_is_left(page: str) -> None:
    assert english_left(page) == []


def test_separators_are_those_of_chinese(page: str) -> None:
    assert [text for text in Words(page).told if HALF_WIDTH.search(text)] == []
    assert HALF_WIDTH.search("（按 3 家公司调整）; 平均值为")
    assert HALF_WIDTH.search("海康威视, 大华股份")


def test_firms_have_both_names(page: str) -> None:
    assert '<span class="firm">海康威视 <span lang="en">Hikvision</span> <span class="symbol">002415.SZ</span>' in page
    assert "基准沪深300" in page


def test_answer_reads_as_a_chinese_sentence(page: str) -> None:
    answer = re.search(r'<p class="answer">(.*?)</p>', page)
    assert answer
    assert answer[1].replace(FIXED, " ") == (
        "2019年10月8日至11日（事件日及其后 3 个交易日，[0, 3]），"
        "与基准沪深300所隐含的预期相比，大华股份下跌 11.4%（95% 置信区间 3.6% 至 18.6%），"
        "海康威视下跌 8.3%（1.1% 至 14.9%）；科大讯飞为 +3.3%，区间从下跌 5.5% 到上涨 12.9%，方向不能确定，且同期另有自身消息。"
        "这 4 个交易日中的停牌日数：海康威视和大华股份 2 个；停牌期间没有价格，效应在复牌时才显现。"
    )


def test_numbers_and_figures_are_those_of_the_english_page(study: StudyResult, page: str) -> None:
    chinese, english = Words(page), Words(written(study, "en"))
    assert chinese.shapes == english.shapes
    figures = re.compile(r"[-+−<≤≥]?\s?\d[\d.,]*%?")
    numbers = [
        [figures.findall(cell) for cell in one.cells if re.fullmatch(r"[-+−<≤≥\d.,%\s]+(?:(?:to|至)[-+−\d.,%\s]+)?", cell)]
        for one in (chinese, english)
    ]
    assert len(numbers[0]) > 1500
    assert numbers[0] == numbers[1]


def test_the_finding_for_the_terminal_stays_english(study: StudyResult) -> None:
    assert finding(study)[0].startswith("What did")


@pytest.mark.parametrize("config", ["zte-denial-2018", "entity-list-leak-2019"])
def test_other_studies_leave_the_authors_words_only(root: Path, config: str) -> None:
    spec = es.load_study(root / "configs" / f"{config}.toml")
    result = es.run_study(spec.replace(tests=["portfolio_t", "placebo_caar"]))
    own = [spec.study.title, spec.study.note, *(event.label for event in spec.event), *(mask.reason for mask in spec.mask)]
    html = written(result)
    for text in own:
        html = html.replace(text.replace("'", "&#39;"), "").replace(text, "")
    assert english_left(html) == []


def test_the_list_is_chinese_where_every_run_is(study: StudyResult) -> None:
    run = {
        "study": "s", "run_id": "r", "href": "s/r/report.html", "title": "研究", "created": "2026-11-26T13:03:55+00:00",
        "state": "complete", "language": "zh", "effects": headline_effects(study), "headline": {"window": [0, 3]},
        "sessions": ["2019-05-22", "2019-10-08"], "events": 8, "excluded": 0,
        "changes": {"counts": {"config": 1, "revision": 2, "resumed": 1, "result": 1197}},
    }  # fmt: skip
    several = [run, run | {"effects": [], "mean": {"n": 8, "effect": -0.03, "ci_low": None, "ci_high": None}}]
    html = render_index([*several, run | {"state": "provisional", "changes": None}])
    assert english_left(html) == []
    assert '<html lang="zh-CN">' in html
    assert "海康威视 −8.3%（−14.9% 至 −1.1%）" in html
    assert "配置（1）、修订的数据（2）和已复牌（1）；1,197 个数值变动" in html
    assert '<html lang="en">' in render_index([*several, {key: value for key, value in run.items() if key != "language"}])
    assert '<html lang="en">' in render_index([])


def test_a_comparison_is_in_the_language_of_the_newer_run(study: StudyResult) -> None:
    newer = state_of_result(study)
    changes = (
        Change("config", "mask[0].from", "", "", "2019-05-21", "2019-05-20"),
        Change("revision", "002415.SZ", "2019-10-10", "close", "31.2", "31.4"),
        Change("result", "cars: entity-list-2019, 002415.SZ, 0, 3", "", "car", "-0.0862", "-0.08", "prices of 002415.SZ"),
        Change("result", "tests: all, 0, 3, portfolio_t", "", "p_value", "0.063", "", "together: config; prices of 002415.SZ"),
    )
    html = render_comparison(Comparison("a", "b", changes), newer)
    assert english_left(html) == []
    assert "2 项输入改变，2 个数值变动。涉事公司中变动最大的是海康威视在" in html
    assert "海康威视的价格" in html
    assert '<html lang="en">' in render_comparison(Comparison("a", "b", changes))


def test_excluded_events_and_groups(panel, tmp_path: Path, study_on_disk) -> None:
    made = panel(("AAA", "BBB", "CCC"))
    events = made.events(130).assign(group=["甲", "乙", "乙"])
    events.loc[len(events)] = {"event_id": "e-gone", "symbol": "GONE", "session": made.day(130), "group": ""}
    events.loc[len(events)] = {"event_id": "e-early", "symbol": "AAA", "session": made.day(20), "group": ""}
    html = written(es.run_study(study_on_disk(made, events)))
    assert "数据源没有该代码" in html
    assert "估计窗口内观测过少" in html
    assert "组别：乙" in html
    assert english_left(html) == []


def test_one_firm_without_its_prices_to_the_end(panel, study_on_disk) -> None:
    made = panel(("AAA",), 133)
    html = written(es.run_study(study_on_disk(made, made.events(131))))
    assert "主窗口" in html
    assert english_left(html) == []


def test_many_firms(panel, study_on_disk) -> None:
    made = panel(tuple(f"F{place}" for place in range(8)))
    html = written(es.run_study(study_on_disk(made, made.events(130), inference={"tests": "all"})))
    assert "8 家公司" in html
    assert english_left(html) == []


def test_a_study_of_many_events(panel) -> None:
    made = panel(tuple(f"F{place}" for place in range(20)))
    events = pd.concat([made.events(place, prefix=f"e{place}") for place in range(120, 148)])
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    result = es.event_study(events, made.prices, made.benchmark, windows=windows, returns="log", tests=["bmp", "portfolio_t"])
    assert isinstance(result, PanelResult)
    html = written(result)
    assert "全部事件" in html
    assert english_left(html) == []


def test_a_study_of_frames_can_be_written_in_chinese(panel) -> None:
    made = panel(("AAA",))
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    result = es.event_study(made.events(130), made.prices, made.benchmark, windows=windows, returns="log")
    assert render_report(result, VERSIONS).startswith('<!DOCTYPE html>\n<html lang="en">')
    assert english_left(written(result)) == []


def test_two_threads_write_two_languages(panel) -> None:
    made = panel(("AAA",))
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    result = es.event_study(made.events(130), made.prices, made.benchmark, windows=windows, returns="log", tests=["portfolio_t"])
    alone = {language: written(result, language) for language in LANGUAGES}
    found: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    started = threading.Barrier(len(LANGUAGES))

    def write(language: str) -> None:
        started.wait()
        found[language] |= {written(result, language) for _round in range(2)}

    threads = [threading.Thread(target=write, args=(language,)) for language in LANGUAGES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {language: {html} for language, html in alone.items()}


def test_another_language_is_an_error_that_names_the_known_ones(config_of) -> None:
    with pytest.raises(ConfigError, match=r"report.language = 'fr' is none of 'en', 'zh'"):
        es.run_study(config_of(report={"language": "fr"}))


def test_numbers_dates_and_money_as_chinese_readers_write_them() -> None:
    import datetime as dt

    with written_in("zh"):
        assert day(dt.date(2019, 10, 8)) == "2019年10月8日（星期二）"
        assert days(dt.date(2019, 9, 30), dt.date(2019, 10, 7)) == "2019年9月30日至10月7日"
        assert days(dt.date(2018, 12, 31), dt.date(2019, 1, 2)) == "2018年12月31日至2019年1月2日"
        assert interval(-0.149, -0.011) == "−14.90% 至 −1.10%"
        assert money(-24_924_610_000.0, "CNY", sign=True) == "−249亿元"
        assert money(3_175_036.0, "USD") == "318万美元"
        assert [ordinal(place) for place in (1, 2, 3, 4, 11)] == ["1", "2", "3", "4", "11"]
        assert listed(["甲", "乙", "丙"]) == "甲、乙和丙"
        assert running(["一。", "", "二。"]) == "一。二。"
        assert listed([]) == ""
    assert day(dt.date(2019, 10, 8)) == "Tuesday 8 October 2019"


def test_sentences_of_lower_layers_are_said_anew() -> None:
    text = Told("{days} and {count} more", days=Several(["2019-10-08", "2019-10-09"]), count=3)
    assert text == "2019-10-08, 2019-10-09 and 3 more"
    with written_in("zh"):
        assert said(text) == "2019-10-08、2019-10-09等，另有 3 个"
        assert said("as the vendor has it") == "as the vendor has it"


def test_notes_of_the_snapshot_have_their_words() -> None:
    assert {about["note"] for about in SnapshotSource().contents.values() if "note" in about} <= set(NOTES)


def notes_in(path: Path) -> Iterator[str]:
    """Yield the sentences that a source's module keeps as notes or doubts of a series, their changing parts filled."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        kept: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            kept = node.args if isinstance(node.func.value, ast.Name) and node.func.value.id == "notes" else []
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            kept = [node.value] if node.targets[0].id in ("note", "notes", "sentence") else []
        elif isinstance(node, ast.Return) and path.stem == "reading" and isinstance(node.value, ast.Tuple):
            kept = [node.value]
        found = [inner for value in kept for inner in ast.walk(value)]
        inside = {id(piece) for part in found if isinstance(part, ast.JoinedStr) for piece in ast.walk(part) if piece is not part}
        for part in (part for part in found if isinstance(part, (ast.Constant, ast.JoinedStr)) and id(part) not in inside):
            pieces = part.values if isinstance(part, ast.JoinedStr) else [part]
            texts = [str(piece.value) if isinstance(piece, ast.Constant) else "2019-10-10" for piece in pieces]
            text = "".join(texts).replace("as 2019-10-10", "as per cent")
            text += "2019-10-10" if text.endswith(": ") else ""
            if re.search(r"[a-z]+ [a-z]+ [a-z]+", text):
                yield text


def test_notes_of_every_source_have_their_words(root: Path) -> None:
    sources = root / "eventstudy" / "sources"
    notes = [note for path in sorted(sources.glob("*.py")) for note in notes_in(path)]
    assert len(notes) >= 14
    with written_in("zh"):
        assert [note for note in notes if said(note) == note] == []
        told = said("a dividend of 0.5 falls after 2019-05-23 on a session Yahoo has no row of: booked on 2019-05-24")
        assert "2019-05-23" in told
        assert "0.5" in told
        assert not RUN.search(told)
    assert [note for note in notes if said(note) != note] == []


def test_notes_of_a_users_files_are_chinese(panel, study_on_disk) -> None:
    made = panel(("AAA",))
    config = study_on_disk(made, made.events(130))
    prices = config.parent / "prices.csv"
    lines = prices.read_text(encoding="utf-8").splitlines()
    prices.write_text("\n".join([lines[0], lines[2], lines[1], lines[1], *lines[3:]]), encoding="utf-8")
    result = es.run_study(config)
    notes = [note for series in result.inputs.series.values() for note in series.notes]
    assert len(notes) >= 2
    html = written(result)
    assert english_left(html) == []
    assert "1 行完全重复的数据已删去" in html


# The catalogue


def catalogue_on_disk() -> Catalog:
    with (REPORT / "locale" / "zh" / "LC_MESSAGES" / "report.po").open("rb") as file:
        return read_po(file, locale="zh")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return catalogue_on_disk()


def names_in(text: str) -> Counter[str]:
    parts = string.Formatter().parse(text.replace("%(", "{").replace(")s", "}"))
    return Counter([name for _text, name, _spec, _turn in parts if name])


def translated(catalogue: Catalog) -> Iterator[tuple[Message, str, str]]:
    for message in catalogue:
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            yield message, ids[-1], strings[-1]


def test_every_message_is_translated_with_the_same_places(catalogue: Catalog) -> None:
    wrong = [
        message.id
        for message, text, said_ in translated(catalogue)
        if not said_ or set(names_in(text)) != set(names_in(said_))
    ]
    assert wrong == []
    assert not catalogue.obsolete
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert len(catalogue) > 900


def test_catalogue_is_that_of_the_source(root: Path, catalogue: Catalog) -> None:
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = DEFAULT_KEYWORDS | {"N_": None, "Told": None}
    found = extract_from_dir(root, method_map=methods, options_map=options, keywords=keywords, directory_filter=_of_the_package)
    source = {
        (context, text if isinstance(text, str) else text[0]) for _file, _line, text, _comments, context in found if text
    }
    known = {
        (message.context, message.id if isinstance(message.id, str) else message.id[0]) for message in catalogue if message.id
    }
    assert source - known == set(), "a sentence of the report is new: `make catalogue`, then translate it"
    assert known - source == set(), "a sentence of the report is gone: `make catalogue`"


def _of_the_package(folder: str) -> bool:
    return Path(folder).name not in (".git", ".venv", "build", "tests", "docs", "reports", "node_modules", "__pycache__")


# Every sentence goes through the catalogue

# what the terminal and results shown in Python say stays English
TERMINAL = {
    "explanation", "plots", "published", "renderings", "trust.power_lines", "trust._scene",
}  # fmt: skip


def unmarked(path: Path) -> Iterator[str]:
    """Yield literals of two words or more that no call hands to the catalogue."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marks = {"_", "N_", "ngettext", "pgettext", "Told"}
    free: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr):
            free.add(node.body[0].value)
        if isinstance(node, ast.FunctionDef) and f"{path.stem}.{node.name}" in TERMINAL:
            free |= set(ast.walk(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in marks:
            free |= {inner for argument in node.args for inner in ast.walk(argument)}
    for node in ast.walk(tree):
        literal = node.value if isinstance(node, ast.Constant) and node not in free else None
        if isinstance(literal, str) and re.search(r"[A-Za-z]{2,}[,;:.]? [a-z]", literal):
            yield f"{path.name}:{node.lineno} {literal!r}"  # type: ignore[attr-defined]


# for matplotlib, for the index page, for other modules' columns and what they say in `explained_by`
TECHNICAL = re.compile(
    r"offset points|axes fraction| like these|inputs together|what else changed|default-src|style-src"
)


@pytest.mark.parametrize("name", sorted(path.stem for path in REPORT.glob("*.py") if path.stem not in TERMINAL))
def test_every_sentence_of_the_report_is_a_message(name: str) -> None:
    assert [text for text in unmarked(REPORT / f"{name}.py") if not TECHNICAL.search(text)] == []


def test_a_message_without_translation_stays_english() -> None:
    with written_in("zh"):
        assert _("no such sentence, {name}", name="x") == "no such sentence, x"
