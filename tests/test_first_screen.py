"""What the first screen says of chance and suspensions. Expected sentences are written by hand from cars.csv and tests.csv."""

from __future__ import annotations

import re
from pathlib import Path

import eventstudy as es
from eventstudy.report import finding, render_report
from eventstudy.report.finding import study_finding
from eventstudy.report.language import written_in
from eventstudy.report.numbers import FIXED
from eventstudy.report.subjects import Reading
from eventstudy.result import StudyResult


def sure(result: StudyResult, language: str = "en") -> str:
    with written_in(language):
        return study_finding(Reading(result)).sure.replace(FIXED, " ")


def test_each_firm_has_its_own_p_and_behind_it_the_adjusted_one(entity: StudyResult) -> None:
    # cars.csv, [0, 3]: p_value 0.00491, 0.02567, 0.46951; p_holm three, two and one times that
    assert sure(entity) == (
        "How sure: were only chance at work, an effect at least this far from zero would come with probability 0.005 (0.015 "
        "allowing for three firms) for Dahua, 0.026 (0.051) for Hikvision and 0.470 (0.470) for Iflytek; for the average it is "
        "0.063 by portfolio t and 0.076 by placebo dates; for its difference from the average of four firms that were not named, "
        "0.229 by t. Each interval above stands on its own, with no allowance for the others."
    )


def test_the_same_in_chinese(entity: StudyResult) -> None:
    assert sure(entity, "zh") == (
        "结论有多可靠：若只有偶然因素，出现至少如此远离零的效应的概率，大华股份为 0.005（按 3 家公司调整后为 0.015）、"
        "海康威视为 0.026（0.051）和科大讯飞为 0.470（0.470）；平均值为 0.063（组合 t）和0.076（安慰剂日期）；"
        "其与 4 家未被点名公司平均值之差为 0.229（t 检验）。"
        "上述各区间均单独成立，未就其他区间作调整。"
    )


def test_one_firm_leads_with_placebo_dates(zte: StudyResult) -> None:
    # tests.csv, [0, 60]: placebo_caar 1/158, no block further out; the t of the firm has 0.00061
    assert sure(zte) == (
        "How sure: were only chance at work, an effect at least this far from zero would come with probability 0.006 by placebo "
        "dates; the smallest that 157 blocks can give is 0.006, but only three of these blocks do not overlap, which leaves "
        "p = 0.250."
    )
    told = study_finding(Reading(zte)).chance
    assert [words.split(",")[0] for words in told] == ["Headline test of this firm: placebo dates", "By the firm’s t"]
    assert "only three of these blocks do not overlap, which leaves p = 0.250" in told[0].replace(FIXED, " ")
    assert "which is the portfolio t of one firm and the other headline test" in told[1]
    assert "p = 0.001" in told[1].replace(FIXED, " ")


def test_one_firm_without_placebo_dates_says_what_its_t_needs(zte: StudyResult) -> None:
    assert zte.spec is not None
    assert sure(es.run_study(zte.spec.replace(tests=["portfolio_t"]))) == (
        "How sure: were only chance at work, an effect at least this far from zero would come with probability 0.001 by the "
        "firm’s t, if errors are normal."
    )


def test_a_firm_at_two_events_is_two_cases(root: Path) -> None:
    # cars.csv, [0, 3]: p_value 0.00705, 0.06738, 0.20951, 0.32513, 0.44818, five cases of three firms
    spec = es.load_study(root / "configs" / "watchlist" / "watchlist.toml")
    result = es.run_study(spec.replace(source="snapshot", tests=["portfolio_t", "placebo_caar"]))
    told = sure(result)
    assert "0.007 (0.035 allowing for five cases, each a firm at one event) for Dahua (8 October 2019)" in told
    assert "0.067 (0.270) for Hikvision (8 October 2019)" in told
    assert "0.210 (0.629) for Hikvision (21 May 2019)" in told
    assert "0.325 (0.650) for Iflytek" in told
    assert "0.448 (0.650) for Dahua (21 May 2019)" in told
    assert finding(result)[0] == (
        "What did “Reports that Hikvision and Dahua might be listed” and “Added to the US Entity List” do to the share prices of "
        "Hikvision (21 May 2019), Dahua (21 May 2019), Iflytek, Hikvision (8 October 2019) and Dahua (8 October 2019)?"
    )
    assert finding(result)[1].startswith("At each event (21 May 2019 and 8 October 2019), over the event session and the three")
    assert "five firms" not in " ".join(finding(result))
    # cars.csv, [0, 3], reports-may-2019: log -0.0469, -0.0308 read as the first session, -0.0567, -0.0413 as the last
    assert finding(result)[2] == (
        "The date of “Reports that Hikvision and Dahua might be listed” fits two sessions, and the minute is not known. Read as "
        "21 May 2019, as above: Hikvision −4.6% (−11.3% to +2.7%) and Dahua −3.0% (−10.5% to +5.0%); read as 22 May 2019: "
        "Hikvision −5.5% (−12.0% to +1.4%) and Dahua −4.0% (−11.4% to +3.9%)."
    )
    assert "Iflytek (+3.6%: −3.5% to +11.1%, with other news of its own in that time)" in finding(result)[1]
    assert "0.035（" not in sure(result, "zh")
    assert "0.007（按 5 个“公司与事件”组合调整后为 0.035）" in sure(result, "zh")


def test_rejected_equality_says_how_often_it_rejects_for_nothing(entity: StudyResult) -> None:
    # power.csv, all, equal_effects: size 0.1 of 210 dates, 53 apart: 0.05 + 2 sqrt(0.05 0.95 / 53) = 0.1099
    told = " ".join(study_finding(Reading(entity)).average).replace(FIXED, " ")
    assert (
        "equal effects are rejected (F = 4.07, p = 0.018). Their average, −5.7% (95% interval −11.3% to +0.3%), is an average of "
        "unlike reactions and describes none of them. The test of equal effects itself rejects at the 5% level on 10.0% of 210 "
        "placebo dates, on which nothing happened that the study is about. With 53 dates that do not overlap, up to 11.0% cannot "
        "be told from 5%."
    ) in told


def test_a_size_within_the_error_is_no_praise(entity_page: str) -> None:
    told = entity_page.replace(FIXED, " ")
    row = re.search(r'<tr[^>]*><th scope="row"[^>]*>Equality of effects</th>\s*<td class="n">3</td>.*?</tr>', told, re.S)
    assert row
    assert "10.0%" in row[0]
    assert "not told from 5%" in row[0]
    assert "as stated" not in told.lower()


def test_tests_that_were_run_stand_in_for_headline_tests(panel, study_on_disk) -> None:
    made = panel(tuple(f"F{place}" for place in range(12)))
    config = study_on_disk(made, made.events(130), inference={"tests": ["equal_effects", "bmp", "portfolio_t", "wilcoxon"]})
    result = es.run_study(config)
    assert Reading(result).headline.tests == ()
    p_values = result.tests[result.tests["group"] == "all"].set_index(["window_start", "window_end", "test"])["p_value"]
    lo, hi = Reading(result).plan.headline_window
    bmp, wilcoxon = (f"{p_values[lo, hi, test]:.3f}" for test in ("bmp", "wilcoxon"))
    assert sure(result) == (
        "How sure: were only chance at work, an average at least this far from zero would come with probability "
        f"{bmp} by Boehmer, Musumeci and Poulsen’s t and {wilcoxon} by Wilcoxon’s signed-rank test."
    )
    assert study_finding(Reading(result)).chance[0].startswith("No headline test was run; of the tests that were: Boehmer")


def test_the_answer_tells_of_suspensions(entity: StudyResult, zte: StudyResult, leak: StudyResult) -> None:
    # facts: no trade on 8 and 9 October 2019; ZTE from 17 April to 12 June 2018, 39 sessions
    assert finding(entity)[1].endswith(
        " Suspended: Hikvision and Dahua on two of these four sessions, without a price; the effect shows when trading resumes."
    )
    assert finding(zte)[1].endswith(
        " Suspended: ZTE on 39 of these 61 sessions, without a price; the effect shows when trading resumes."
    )
    assert "Suspended" not in finding(leak)[1]


def test_the_design_is_told_before_what_is_ruled_out_and_the_title_leads_there(entity_page: str) -> None:
    assert entity_page.index('id="design"') < entity_page.index("intervals rule out")
    links = re.search(r'<p class="jump">(.*?)</p>\s*</header>', entity_page)
    assert links
    assert re.findall(r'href="#([\w-]+)"', links[1]) == ["contents-title", "design"]
    assert all(entity_page.count(f'id="{anchor}"') == 1 for anchor in ("contents-title", "design"))


def test_one_share_has_one_price_and_drawings_tell_where_it_had_none(zte: StudyResult, entity_page: str) -> None:
    # facts: ZTE without a trade from 17 April to 12 June 2018, eight closes at the lower limit from 13 to 25 June
    assert "do to the share price of ZTE?" in finding(zte)[0]
    zte_page = render_report(zte, {"eventstudy": "0.0"})
    assert "Suspended on 39 sessions, 17 April to 12 June 2018. Closes at the price limit: eight down" in zte_page
    assert "Suspended on two sessions, 8 and 9 October 2019." in entity_page


def test_a_benchmark_without_a_name_is_not_called_so_twice(panel) -> None:
    made = panel(("AAA",))
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    result = es.event_study(made.events(130), made.prices, made.benchmark, windows=windows, returns="log", tests=["portfolio_t"])
    assert "what the benchmark led one to expect" in finding(result)[1]
    with written_in("zh"):
        assert "基准benchmark" not in study_finding(Reading(result)).answer


def test_many_firms_are_counted_where_they_were_suspended(root: Path) -> None:
    # facts: of eight cases Hikvision and Dahua in October, who have no trade on 8 and 9 October 2019
    spec = es.load_study(root / "configs" / "panel-example" / "panel-example.toml")
    result = es.run_study(spec.replace(tests=["portfolio_t", "placebo_caar"]))
    told = finding(result)
    assert told[0].startswith("What did “Reports that the firms might be listed” and “Added to the US Entity List” do to")
    assert told[1].endswith(" 2 cases (a firm at one event) could not trade on some of these sessions.")
