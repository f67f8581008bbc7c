"""How a result presents itself: the long table, the printed tables, the workbook, the plots and the notebook."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import eventstudy as es
from eventstudy.errors import ConfigError, OutputError
from eventstudy.report.wording import REASONS

WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (0, 0)], min_observations=60)
HIKVISION = "002415.SZ"
WHY = REASONS["not_resumed"]


def study(made, names: list[str] | None = None, **options: Any) -> es.StudyResult:
    given = {"events": made.events(130, names), "windows": WINDOWS, "tests": ["portfolio_t", "placebo_caar", "patell"]} | options
    return es.event_study(**{"prices": made.prices, "benchmark": made.benchmark} | given)


@pytest.fixture(scope="module")
def made(panel):
    return panel()


@pytest.fixture(scope="module")
def plain(made) -> es.StudyResult:
    return study(made)


@pytest.fixture(scope="module")
def lone(made) -> es.StudyResult:
    return study(made, ["AAA"])


@pytest.fixture(scope="module")
def crowd(panel) -> es.StudyResult:
    names = tuple(f"F{number:02d}" for number in range(25))
    return study(panel(names), tests=["kp_bmp", "grank", "cross_sectional_t"])


@pytest.fixture(scope="module")
def ahead(made) -> es.StudyResult:
    """A study whose event lies ahead: nothing is estimated yet."""
    events = pd.DataFrame({"event_id": "e", "symbol": ["AAA"], "announced_at": "2099-01-05T10:00:00+08:00"})
    return study(made, events=events, calendar="XSHG")


# --- tidy -------------------------------------------------------------------------------------------------------------------


def test_tidy_has_a_row_for_every_estimate(entity) -> None:
    table = entity.tidy()
    firms, groups = (table[table["scope"] == scope] for scope in ("firm", "group"))
    assert (len(firms), len(groups)) == (len(entity.cars), len(entity.caar))
    for name, other in {"estimate": "car", "std_error": "se_car", "statistic": "t", "p_holm": "p_holm"}.items():
        np.testing.assert_array_equal(firms[name], entity.cars[other].astype(float))
    assert firms["reason"].tolist() == entity.cars["reason"].tolist()
    np.testing.assert_array_equal(groups["estimate"], entity.caar["caar"])
    assert groups["n"].tolist() == entity.caar["n"].tolist()


def test_means_have_the_error_of_their_portfolio_t(entity) -> None:
    keys = ["group", "window_start", "window_end"]
    tests = entity.tests[entity.tests["test"] == "portfolio_t"].set_index(keys)
    groups = entity.tidy().query("scope == 'group'").set_index(keys)
    want = tests.loc[groups.index]
    np.testing.assert_allclose(groups["statistic"], want["statistic"].astype(float), rtol=1e-12)
    np.testing.assert_allclose(groups["estimate"] / groups["std_error"], groups["statistic"], rtol=1e-12)
    covers = (groups["ci_low"] < 0) & (groups["ci_high"] > 0)
    assert covers.tolist() == (groups["p_value"] > 0.05).tolist()


def test_tidy_is_the_users_own_to_change(plain: es.StudyResult) -> None:
    table = plain.tidy()
    table.loc[0, "estimate"] = 9.0
    assert plain.tidy().loc[0, "estimate"] == plain.cars.loc[0, "car"]


def test_tidy_marks_the_headline_and_leaves_undefined_numbers_empty(entity) -> None:
    table = entity.tidy()
    assert set(table.loc[table["headline"], "window_end"]) == {3}
    gone = table[table["reason"] == "not_resumed"]
    assert gone[["estimate", "std_error", "p_value", "ci_low"]].isna().all(axis=None)
    assert set(gone["n"]) == {0}


def test_tidy_without_the_portfolio_t_has_means_without_an_error(made) -> None:
    groups = study(made, tests=["patell"]).tidy().query("scope == 'group'")
    assert groups["estimate"].notna().all()
    assert groups["std_error"].isna().all()
    assert set(groups["test"]) == {""}


def test_means_without_a_portfolio_t_rest_on_their_spread(made) -> None:
    result = study(made, tests=["portfolio_t", "cross_sectional_t"], estimator="huber")  # which has no linear form
    row = result.tidy().query("scope == 'group' and headline").iloc[0]
    cars = result.car((0, 3))["car"]
    assert (row["test"], row["df"]) == ("cross_sectional_t", 2)
    assert row["std_error"] == pytest.approx(cars.std(ddof=1) / np.sqrt(3), rel=1e-9)
    assert "those of a mean on the spread across firms (cross-sectional t)" in result.to_markdown()


def test_tidy_of_an_event_that_lies_ahead(ahead: es.StudyResult) -> None:
    table = ahead.tidy()
    assert table["estimate"].isna().all()
    assert set(table["reason"]) == {"calendar_end", "no_firms"}
    assert set(table["status"]) == {"undefined"}


# --- Markdown ---------------------------------------------------------------------------------------------------------------


def pipes(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text, as rows of cells."""
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()] for block in blocks]


def test_markdown_tables_are_whole(entity) -> None:
    text = entity.to_markdown()
    estimates, tests = pipes(text)
    assert all(len({len(row) for row in table}) == 1 for table in (estimates, tests))
    assert len(estimates) - 2 == 3 * 7 + len(entity.caar)
    assert "*" not in re.sub(r"^[-*].*$", "", text, flags=re.MULTILINE)  # no stars anywhere


def test_markdown_has_estimates_with_intervals_and_reasons(entity) -> None:
    table = [[cell.strip() for cell in row] for row in pipes(entity.to_markdown([(0, 3), (0, 0)]))[0]]
    rows = {(row[0], row[1]): row for row in table}
    hikvision = rows["Hikvision", "\\[0,\u00a03\\]"]
    car = entity.car((0, 3)).set_index("symbol").loc[HIKVISION]
    assert hikvision[2:4] == ["1", f"−{abs(100 * car['car']):.2f}"]
    assert hikvision[4] == f"−{abs(100 * car['ci_low']):.2f} to −{abs(100 * car['ci_high']):.2f}"
    assert rows["Hikvision", "\\[0,\u00a00\\]"][3:] == [""] * 7 + [WHY]


def test_markdown_tells_what_a_referee_asks(entity) -> None:
    text = entity.to_markdown()
    for part in (
        "Portfolio t", "sharp: the event changed nothing at all", "216 observations a firm", "CSI 300", "log returns",
        "Mean residual correlation", "Smallest p-value that the placebo dates can give", "did not react alike",
    ):  # fmt: skip
        assert part in text


def test_markdown_escapes_what_would_be_markup(made) -> None:
    odd = made.prices.rename(columns={"AAA": "A|B*_<b>"})
    text = study(made, ["A|B*_<b>"], prices=odd).to_markdown()
    assert "A\\|B\\*\\_\\<b\\>" in text
    assert all(len({len(row) for row in table}) == 1 for table in pipes(text))


def test_windows_that_the_study_lacks_are_refused(plain: es.StudyResult) -> None:
    for method in (plain.to_markdown, plain.to_latex):
        with pytest.raises(ConfigError, match=r"no CAR window \[0, 9\]"):
            method([(0, 9)])


def test_many_firms_are_not_listed_one_by_one(crowd: es.StudyResult) -> None:
    estimates, _ = pipes(crowd.to_markdown())
    assert [row[0].strip() for row in estimates[2:]] == ["Mean: all treated firms"] * 2
    assert "The CARs of the 25 firms are in the table cars." in crowd.to_markdown()


def test_many_events_present_their_mean_with_an_interval(panel) -> None:
    """A hundred and twenty events at once: their mean rests on its spread, and no table names them all."""
    names = tuple(f"F{number:03d}" for number in range(120))
    made = panel(names)
    events = made.events(130).assign(symbol=[*names[:-6], *(f"none {number}" for number in range(6))])
    result = study(made, events=events, tests=["cross_sectional_t", "portfolio_t", "kp_bmp", "grank"])
    row = result.tidy().query("scope == 'group' and headline").iloc[0]
    cars = result.car((0, 3))["car"]
    se = cars.std(ddof=1) / np.sqrt(114) if row["test"] == "cross_sectional_t" else row["std_error"]
    assert (row["n"], row["std_error"]) == (114, pytest.approx(se, rel=1e-9))
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    for text in (result.to_markdown(), result.to_latex(), result._repr_html_()):
        assert "Mean: all treated firms" in text
        assert "F007" not in text
        assert "Left out: 6 (the source does not know the symbol)." in text


def test_excluded_events_are_told(made) -> None:
    text = study(made, events=made.events(130).assign(symbol=["AAA", "BBB", "ZZZ"])).to_markdown()
    assert "Left out: ZZZ (the source does not know the symbol)." in text


# --- LaTeX ------------------------------------------------------------------------------------------------------------------


def test_latex_label_is_one_that_latex_takes(entity) -> None:
    for broken in ("a}b", "a\\b", "50%", "a b"):
        with pytest.raises(ConfigError, match="a LaTeX label is made of letters"):
            entity.to_latex(label=broken)
    assert r"\label{tab:cars}" in entity.to_latex(label="tab:cars")


def test_latex_has_no_letter_that_it_would_not_set(entity) -> None:
    text = entity.to_latex()
    assert {letter for letter in text if ord(letter) > 255} == set()
    assert not re.search(r"(?<!\\)[%#&_](?![^\n]*\\\\)", text.partition(r"\textit{Notes.}")[2])


def test_latex_escapes_names(made) -> None:
    odd = made.prices.rename(columns={"AAA": "R&D_50%{x}\\y"})
    assert r"R\&D\_50\%\{x\}\textbackslash{}y" in study(made, ["R&D_50%{x}\\y"], prices=odd).to_latex()


def test_latex_names_a_firm_once_and_letters_its_notes(entity) -> None:
    text = entity.to_latex()
    assert text.count(r"\textit{Iflytek}") == 1
    assert re.search(r"\\textit\{undefined\}\} & b", text)
    assert f"b: {WHY}." in text


# --- Excel ------------------------------------------------------------------------------------------------------------------


def test_excel_holds_the_numbers_to_sixteen_digits(entity, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = entity.to_excel(tmp_path / "cars.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Table", "Estimates", "Tests"]
    head, *rows = book["Estimates"].iter_rows(values_only=True)
    table = entity.tidy()
    assert list(head) == table.columns.tolist()
    place = head.index("estimate")
    drawn = [np.nan if row[place] is None else row[place] for row in rows]
    np.testing.assert_allclose(drawn, table["estimate"], rtol=1e-15)
    tests = list(book["Tests"].iter_rows(values_only=True))
    assert len(tests) - 1 == len(entity.tests)
    assert book["Estimates"].cell(2, place + 1).number_format == "0.00%"


def test_excel_takes_no_name_for_a_formula(made, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    odd = made.prices.rename(columns={"AAA": "=1+1"})
    sheet = openpyxl.load_workbook(study(made, ["=1+1"], prices=odd).to_excel(tmp_path / "x.xlsx"))["Estimates"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"]
    assert {cell.data_type for cell in cells} == {"s"}
    assert cells


def test_equal_tables_are_equal_workbooks(plain: es.StudyResult, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    first, second = plain.to_excel(tmp_path / "a.xlsx"), plain.to_excel(str(tmp_path / "b.xlsx"))
    assert first.read_bytes() == second.read_bytes()


def test_a_workbook_goes_into_an_open_file(plain: es.StudyResult, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    held = io.BytesIO()
    assert plain.to_excel(held) is None
    assert held.getvalue() == plain.to_excel(tmp_path / "a.xlsx").read_bytes()


def test_excel_without_its_package_names_the_extra(plain: es.StudyResult, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ConfigError, match=r"pip install 'eventstudy-toolkit\[excel\]'"):
        plain.to_excel(tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_excel_refuses_paths_it_cannot_write(plain: es.StudyResult, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    with pytest.raises(ConfigError, match=r"end it in \.xlsx"):
        plain.to_excel(tmp_path / "x.csv")
    with pytest.raises(OutputError, match="there is no folder"):
        plain.to_excel(tmp_path / "nowhere" / "x.xlsx")
    (tmp_path / "taken.xlsx").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        plain.to_excel(tmp_path / "taken.xlsx")


# --- the notebook -----------------------------------------------------------------------------------------------------------


class Cells(HTMLParser):
    """Rows of the tables of a page, tags, and texts outside the style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.spans = 0
        self.in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True
            self.spans += "colspan" in dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data


def test_notebook_shows_the_headline_window(entity) -> None:
    found = Cells(entity._repr_html_())
    rows = {row[0]: row for row in found.rows}
    assert rows["Firm"][1:4] == ["N", "CAR, log %", "95% interval"]
    assert rows["Hikvision"][1:5] == ["1", "−8.62", "−16.18 to −1.06", "3.84"]
    assert rows["Mean: all treated firms"][1] == "3"
    assert rows["Portfolio t"][1:4] == ["sharp", "3", "−1.866"]
    assert "script" not in found.tags


def test_notebook_gives_the_reason_in_place_of_numbers(made) -> None:
    prices = made.prices.copy()
    prices.loc[prices.index[132:150], "AAA"] = np.nan
    found = Cells(study(made, prices=prices)._repr_html_())
    rows = {row[0]: row for row in found.rows}
    assert rows["AAA"][1:] == ["0", WHY]
    assert found.spans == 1
    assert rows["Mean: all treated firms"][1] == "2"


def test_notebook_is_readable_on_light_and_dark_paper(plain: es.StudyResult) -> None:
    style = re.search(r"<style>(.*?)</style>", plain._repr_html_(), re.DOTALL)
    assert style
    assert set(re.findall(r"color: ([^;]+);", style[1])) == {"inherit"}
    assert set(re.findall(r"background: ([^;]+);", style[1])) == {"transparent"}
    assert all(rule.strip().startswith(".es-table") for rule in re.findall(r"^([^{]+)\{", style[1], re.MULTILINE))


@pytest.mark.parametrize("name", ["plain", "lone", "crowd", "ahead"])
def test_every_result_presents_itself(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    result = request.getfixturevalue(name)
    html = result._repr_html_()
    for text in (html, result.to_markdown(), result.to_latex()):
        assert "nan" not in re.sub(r"[A-Za-z]nan|nan[A-Za-z]", "", text.lower())
        assert "<NA>" not in text
    assert len(Cells(html).rows) >= 2 or name == "ahead"


# --- plots ------------------------------------------------------------------------------------------------------------------


def lines_of(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in lines}


def test_plot_of_one_firm_is_its_car_with_the_interval(entity) -> None:
    axes = entity.plot_car(HIKVISION)
    assert isinstance(axes, Axes)
    runs = [line for line in axes.get_lines() if line.get_marker() == "o"]
    drawn = {x: y for line in runs for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    assert drawn.keys() == {-1, *range(2, 11)}  # nothing on the two suspended sessions
    for hi in (2, 3, 5, 10):
        assert drawn[hi] == entity.car((0, hi)).set_index("symbol").loc[HIKVISION, "car"]
    bounds = np.concatenate([path.vertices for band in axes.collections for path in band.get_paths()])
    row = entity.car((0, 3)).set_index("symbol").loc[HIKVISION]
    assert sorted({y for x, y in bounds if x == 3}) == [row["ci_low"], row["ci_high"]]


def shaded(axes: Axes) -> list[tuple[float, float]]:
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]


def test_suspended_sessions_are_shaded(entity) -> None:
    assert shaded(entity.plot_car(HIKVISION)) == [(-0.5, 1.5)]
    assert shaded(entity.plot_prices(HIKVISION)) == [(-0.5, 1.5)]
    assert shaded(entity.plot_car("002230.SZ")) == []
    assert entity.plot_car().get_legend().get_texts()[-1].get_text() == "suspended: 2 of 3"


def test_plot_of_all_firms_has_their_mean_where_all_have_a_value(entity) -> None:
    axes = entity.plot_car()
    names = lines_of(axes)
    assert {"Iflytek", "Hikvision", "Dahua", "mean of 3"} <= set(names)
    means = {x: y for line in axes.get_lines() if line.get_color() == "#808080" and line.get_marker() == "o"
             for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}  # fmt: skip
    caar = entity.caar.query("group == 'all' and window_start == 0").set_index("window_end")["caar"]
    assert {hi: means[hi] for hi in (2, 3, 5, 10)} == caar[[2, 3, 5, 10]].to_dict()
    assert not {0, 1} & set(means)  # two firms of three are suspended
    handles = axes.get_legend().legend_handles[:3]  # told apart by colour, and by dashes where there is none
    assert len({line.get_color() for line in handles}) == len({str(line._dash_pattern) for line in handles}) == 3


def test_prices_are_100_before_the_event(entity) -> None:
    taus, values = lines_of(entity.plot_prices(HIKVISION))["Hikvision"]
    drawn = dict(zip(taus, values, strict=True))
    assert drawn[-1] == 100
    assert drawn[2] == pytest.approx(100 * 30.90 / 32.30, rel=1e-12)
    assert not {0, 1} & set(drawn)
    taus, values = lines_of(entity.plot_prices(HIKVISION))["CSI 300"]
    assert len(taus) == 22


def test_axes_of_the_user_are_drawn_on(plain: es.StudyResult) -> None:
    mine = Figure().subplots(1, 2)
    assert plain.plot_car("AAA", ax=mine[0]) is mine[0]
    assert plain.plot_prices("AAA", ax=mine[1]) is mine[1]


def test_start_of_the_sums_may_be_chosen(plain: es.StudyResult) -> None:
    taus, values = lines_of(plain.plot_car("AAA", start=-5))["AAA"]
    assert (taus[0], values[0]) == (-6, 0.0)
    with pytest.raises(ConfigError, match="start = 99 lies outside the event window"):
        plain.plot_car("AAA", start=99)


def test_pyplot_is_left_alone() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); from conftest import make_panel; import eventstudy as es\n"
        "made = make_panel(); w = es.Windows((-100, -11), (-5, 10), [(0, 3)], 60)\n"
        "result = es.event_study(made.events(130), made.prices, made.benchmark, windows=w, tests=['portfolio_t'])\n"
        "result.plot_car(); result.plot_prices(); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert done.stdout.strip() == "False"


def test_plots_of_many_firms_are_grey_and_prices_ask_for_one(crowd: es.StudyResult) -> None:
    axes = crowd.plot_car()
    assert {line.get_color() for line in axes.get_lines()} == {"#808080"}
    with pytest.raises(ConfigError, match="25 firms are too many lines"):
        crowd.plot_prices()
    assert "F07" in lines_of(crowd.plot_prices("F07"))


def test_prices_of_many_events_of_one_firm_are_thin_lines_and_their_mean(made) -> None:
    days = list(range(112, 148, 4))
    events = pd.DataFrame({"event_id": [f"e{day}" for day in days], "symbol": "AAA", "session": made.prices.index[days]})
    events.loc[len(events)] = ["other", "BBB", made.prices.index[120]]
    found = study(made, events=events)
    with pytest.raises(ConfigError, match="10 events of 2 firms are too many lines: give the symbol of one"):
        found.plot_prices()
    axes = found.plot_prices("AAA")
    assert axes.get_legend_handles_labels()[1] == ["AAA, mean of 9", "benchmark, mean of 9"]
    assert len(axes.get_lines()) == 12  # and the event session
    closes, level = made.prices["AAA"].to_numpy(), made.benchmark.to_numpy()
    for name, values in (("AAA, mean of 9", closes), ("benchmark, mean of 9", level)):
        want = np.mean([100 * values[day - 6 : day + 11] / values[day - 1] for day in days], axis=0)
        taus, drawn = lines_of(axes)[name]
        assert taus == list(range(-6, 11))
        np.testing.assert_allclose(drawn, want, rtol=1e-12)
    np.testing.assert_allclose(axes.get_lines()[2].get_ydata(), 100 * closes[114:131] / closes[119], rtol=1e-12)


def test_plots_of_a_firm_that_is_not_there(plain: es.StudyResult, ahead: es.StudyResult) -> None:
    with pytest.raises(ConfigError, match="no firm with an estimate is ZZZ: the study has AAA"):
        plain.plot_car("ZZZ")
    with pytest.raises(ConfigError, match="no firm with an estimate"):
        ahead.plot_car()


def test_plot_of_an_event(plain: es.StudyResult) -> None:
    assert "BBB" in lines_of(plain.plot_car(event_id="e-BBB"))
