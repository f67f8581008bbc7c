"""One parametric and one resampling or rank result named before the fact."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import ConfigError
from eventstudy.events import Announcement, EventFirm
from eventstudy.headline import checked_headline, headline_of
from eventstudy.inference.registry import TEST_NAMES, kind_of
from eventstudy.plan import Plan
from eventstudy.report import finding, render_report
from eventstudy.windows import Windows

WINDOWS = Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (0, 1)], min_observations=60)
SEVEN, EIGHT = (Announcement(session=dt.date(2019, 10, day)) for day in (7, 8))
EVERY = ("kp_bmp", "portfolio_t", "placebo_caar", "grank", "patell")


def plan(tests: tuple[str, ...] = EVERY, headline: tuple[str, ...] = ()) -> Plan:
    return Plan(WINDOWS, (0, 3), tests=tests, headline=headline)


def events(count: int, *extra: EventFirm, when: Announcement = SEVEN) -> list[EventFirm]:
    return [*(EventFirm("e", f"S{place}", when) for place in range(count)), *extra]


@pytest.mark.parametrize(
    ("made", "tests", "rule"),
    [
        (events(1), ("portfolio_t", "placebo_caar"), "one common date"),
        (events(9), ("portfolio_t", "placebo_caar"), "one common date"),
        (events(8, EventFirm("f", "S0", EIGHT)), ("portfolio_t", "placebo_caar"), "differing dates"),
        (events(10), ("kp_bmp", "grank"), "from ten firms on"),
        (events(9, EventFirm("f", "S0", EIGHT)), ("kp_bmp", "grank"), "from ten firms on"),
        # a firm twice in one announcement is one firm; those not named by the event are none
        (events(9, EventFirm("f", "S0", SEVEN)), ("portfolio_t", "placebo_caar"), "one common date"),
        (events(9, EventFirm("p", "P", SEVEN, role="placebo")), ("portfolio_t", "placebo_caar"), "one common date"),
        (events(9, EventFirm("v", "V", EIGHT, role="variant")), ("portfolio_t", "placebo_caar"), "one common date"),
    ],
)
def test_default_goes_by_the_number_of_treated_firms(made, tests: tuple[str, ...], rule: str) -> None:
    found = headline_of(plan(), made)
    assert (found.tests, found.named) == (tests, False)
    assert rule in found.rule


def test_second_default_falls_back_while_there_is_no_rank_test() -> None:
    assert headline_of(plan(("kp_bmp", "placebo_caar")), events(10)).tests == ("kp_bmp", "placebo_caar")


def test_a_default_that_is_not_run_is_left_out() -> None:
    assert headline_of(plan(("patell", "portfolio_t")), events(3)).tests == ("portfolio_t",)
    assert headline_of(plan(("patell",)), events(3)).tests == ()


def test_named_tests_go_before_the_rule() -> None:
    found = headline_of(plan(headline=("patell", "grank")), events(3))
    assert (found.tests, found.named, found.rule) == (("patell", "grank"), True, "named in the config")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("portfolio_t", "parametric"), ("kp_bmp", "parametric"), ("equal_effects", "parametric"), ("placebo_caar", "resampling"),
        ("placebo_max", "resampling"), ("grank", "rank"), ("corrado_zivney", "rank"), ("wilcoxon", "rank"),
    ],
)  # fmt: skip
def test_kind_of_a_test(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_the_parametric_test_comes_first_whatever_the_order() -> None:
    assert checked_headline(["placebo_caar", "portfolio_t"], TEST_NAMES) == ("portfolio_t", "placebo_caar")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["portfolio_t", "patell"], r"portfolio_t \(parametric\), patell \(parametric\)"),
        (["placebo_caar", "placebo_max"], "resampling"),
        (["portfolio_t"], r"found portfolio_t"),
        (["portfolio_t", "placebo_caar", "placebo_max"], "takes one parametric test and one"),
        ([], "found none"),
        (["portfolio_t", "bmp"], "'bmp', which is not among tests: add it there"),
    ],
)
def test_other_headlines_are_refused(panel, names: list[str], told: str) -> None:
    made = panel()
    with pytest.raises(ConfigError, match=told):
        es.event_study(
            made.events(130), made.prices, made.benchmark, windows=WINDOWS, headline=names,
            tests=["portfolio_t", "patell", "placebo_caar", "placebo_max"],
        )  # fmt: skip


def test_config_error_names_file_line_and_key(cli, panel, study_on_disk) -> None:
    made = panel()
    inference = {"tests": ["portfolio_t", "placebo_caar"], "headline": ["bmp", "placebo_caar"]}
    path = study_on_disk(made, made.events(130), inference=inference)
    done = cli("check", path)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("headline"))
    assert done.exit_code == 2
    assert done.stderr.startswith(f"eventstudy: {path}:{line}: headline names 'bmp', which is not among tests")


@pytest.fixture(scope="module")
def named(panel):
    made = panel()
    given = {"windows": WINDOWS, "headline": ["placebo_scar", "bmp"], "headline_window": (0, 1)}
    return es.event_study(made.events(130), made.prices, made.benchmark, **given)


def test_roles_stand_behind_the_other_columns_and_in_the_headline_window_only(named) -> None:
    tests = named.tables()["tests"]
    assert list(tests.columns)[-1] == "role"
    assert set(tests["role"]) == {"headline", "secondary"}
    first = tests[tests["role"] == "headline"]
    assert set(first["test"]) == {"bmp", "placebo_scar"}
    assert set(zip(first["window_start"], first["window_end"], strict=True)) == {(0, 1)}
    assert len(first) == 2 * len(set(tests["group"]))


def test_the_finding_uses_the_named_tests(named) -> None:
    told = finding(named)[-1]
    rows = named.tests.set_index(["window_end", "test"])["p_value"]
    assert told.startswith("Headline tests of the average: Boehmer")
    assert f"{rows[1, 'bmp']:.3f}" in told
    assert f"placebo dates on standardised CARs, p\u00a0=\u00a0{rows[1, 'placebo_scar']:.3f} among" in told
    assert "portfolio" not in told


def test_headline_rows_come_first_and_say_why(named) -> None:
    page = render_report(named)
    table = page[page.index('id="tests"') : page.index('id="tests-other"')]
    places = [table.index(name) for name in ("Boehmer", "Placebo dates, mean standardised", "Cross-sectional t", "Patell’s Z")]
    assert places == sorted(places)
    assert "named in the config of the study" in table
    assert "All other tests are secondary" in table
    assert table.count('<tr class="strong">') == 2
    assert table.count(": headline</") == 1


def test_the_default_is_told_in_report_and_manifest(entity, entity_runs) -> None:
    folder = entity_runs[0] / "entity-list-2019" / "latest"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rule = "default for fewer than ten firms on one common date"
    assert manifest["headline"] == {"tests": ["portfolio_t", "placebo_caar"], "rule": rule, "window": [0, 3]}
    assert rule in (folder / "report.html").read_text(encoding="utf-8")
    rows = entity.tables()["tests"].query("role == 'headline' and group == 'all'")
    assert list(rows["test"]) == ["portfolio_t", "placebo_caar"]


def test_an_undefined_headline_test_is_told_with_its_reason(panel) -> None:
    made = panel(("AAA",))
    given = {"windows": WINDOWS, "headline": ["kp_bmp", "placebo_caar"], "headline_window": (0, 1)}
    events_ = pd.concat([made.events(130), made.events(159, prefix="f")])
    result = es.event_study(events_, made.prices, made.benchmark, **given)
    told = finding(result)[-1]
    assert "adjusted BMP, undefined (needs at least two firms)" in told
