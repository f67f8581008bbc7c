"""The studies that come with the package, against facts a referee can check by hand."""

from __future__ import annotations

import datetime as dt
import json
import re
from math import exp, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import ConfigError

IFLYTEK, HIKVISION, DAHUA, MEIYA = "002230.SZ", "002415.SZ", "002236.SZ", "300188.SZ"
ZTE, INDEX = "000063.SZ", "000300.SS"
TABLES = ("events", "models", "abnormal_returns", "cars", "aar", "caar", "tests", "exclusions", "data")

# facts: simple returns in per cent on unadjusted closes; None is a suspended session
DAYS = ["2019-09-30", "2019-10-08", "2019-10-09", "2019-10-10", "2019-10-11", "2019-10-14", "2019-10-15", "2019-10-16"]
HAPPENED = {
    IFLYTEK: [-2.39, -2.67, 1.74, 7.70, -0.29, 0.18, -2.36, 5.67],
    HIKVISION: [-2.68, None, None, -4.33, -0.71, 0.95, -2.13, 1.19],
    DAHUA: [-3.25, None, None, -5.79, -2.15, 0.94, -2.24, 0.57],
    INDEX: [-0.99, 0.61, 0.14, 0.82, 0.96, 1.06, -0.43, -0.34],
}


@pytest.fixture(scope="module")
def recorded(root: Path):
    """Read a file of the snapshot as text and take nothing from the package."""

    def read(symbol: str) -> pd.DataFrame:
        table = pd.read_csv(root / "eventstudy" / "snapshot" / f"{symbol}.csv", comment="#")
        return table.set_index("date").astype(float)

    return read


def one(result: es.StudyResult, symbol: str, window: tuple[int, int]) -> pd.Series:
    found = result.car(window)
    return found[found["symbol"] == symbol].iloc[0]


@pytest.mark.parametrize("symbol", HAPPENED)
def test_daily_returns_of_the_snapshot_are_the_published_ones(recorded, symbol: str) -> None:
    table = recorded(symbol)
    dates = list(table.index)
    for day, want in zip(DAYS, HAPPENED[symbol], strict=True):
        place = dates.index(day)
        change = 100 * (table["close"].iloc[place] / table["close"].iloc[place - 1] - 1)
        if want is None:
            assert (table["volume"].iloc[place], change) == (0, 0), day
        else:
            assert abs(change - want) < 0.0051, day


def test_announcement_in_the_holiday_maps_to_8_october(entity) -> None:
    assert set(entity.events["event_session"]) == {"2019-10-08"}


def test_first_traded_sessions(entity) -> None:
    found = entity.events.set_index("symbol")["first_traded_session"]
    assert found[[IFLYTEK, HIKVISION, DAHUA]].tolist() == ["2019-10-08", "2019-10-10", "2019-10-10"]


def test_masked_days_are_out_of_the_estimation(entity) -> None:
    # 220 sessions from -250 to -31, less the four of 21 to 24 May
    assert set(entity.models.set_index("symbol").loc[[IFLYTEK, HIKVISION, DAHUA], "nobs"]) == {216}


def test_suspended_sessions_of_meiya_pico_make_one_row_of_five_sessions(entity) -> None:
    row = entity.models.set_index("symbol").loc[MEIYA]
    assert (row["nobs"], row["n_sessions"]) == (212, 216)


def test_hikvision_fell_by_some_six_and_a_half_per_cent_over_the_three_sessions(entity) -> None:
    assert one(entity, HIKVISION, (0, 2))["car"] == pytest.approx(-0.066, abs=0.0005)


@pytest.mark.parametrize("symbol", [IFLYTEK, HIKVISION, DAHUA])
def test_car_derived_anew_from_the_recorded_figures(entity, recorded, symbol: str) -> None:
    share, index = recorded(symbol), recorded(INDEX)["close"]
    dividends = {HIKVISION: {"2019-05-24": 0.60}, DAHUA: {"2019-04-19": 0.10}, IFLYTEK: {"2019-10-21": 0.10}}[symbol]
    dates = list(share.index)
    day0 = dates.index("2019-10-08")
    masked = {"2019-05-21", "2019-05-22", "2019-05-23", "2019-05-24"}
    rows = []
    for place in range(day0 - 250, day0 - 30):
        day, before = dates[place], dates[place - 1]
        if day not in masked:
            r = log((share["close"][day] + dividends.get(day, 0)) / share["close"][before])
            rows.append((r, log(index[day] / index[before])))
    r, m = np.array(rows).T
    slope, intercept = np.polyfit(m, r, 1)
    s2 = ((r - intercept - slope * m) ** 2).sum() / (len(r) - 2)
    first, last = dates[day0 - 1], dates[day0 + 2]
    over = log(index[last] / index[first])
    car = log(share["close"][last] / share["close"][first]) - 3 * intercept - slope * over
    variance = s2 * (3 + 9 * (1 / len(m) + (over / 3 - m.mean()) ** 2 / ((m - m.mean()) ** 2).sum()))
    found = one(entity, symbol, (0, 2))
    assert (found["car"], found["se_car"]) == (pytest.approx(car, rel=1e-9), pytest.approx(variance**0.5, rel=1e-9))


@pytest.mark.parametrize("symbol", [HIKVISION, DAHUA])
def test_no_value_on_the_event_session_while_suspended(entity, symbol: str) -> None:
    row = one(entity, symbol, (0, 0))
    assert (row["status"], row["reason"]) == ("undefined", "not_resumed")
    assert row[["car", "se_car", "t", "df", "p_value", "p_holm", "ci_low", "ci_high"]].isna().all()


@pytest.mark.parametrize("symbol", [HIKVISION, DAHUA])
def test_resumption_covers_three_sessions_and_suspended_ones_have_no_number(entity, symbol: str) -> None:
    rows = entity.abnormal_returns.query("symbol == @symbol").set_index("tau")
    assert rows.loc[[0, 1], "status"].tolist() == ["suspended", "suspended"]
    assert rows.loc[[0, 1], ["span", "ret", "ar"]].isna().all(axis=None)
    assert (rows.loc[2, "span"], rows.loc[2, "session"]) == (3, "2019-10-10")


def test_average_abnormal_returns_count_the_firms_that_have_one(entity) -> None:
    counts = entity.aar.query("group == 'all'").set_index("tau")["n"]
    assert counts.loc[[0, 1, 2]].tolist() == [1, 1, 1]
    assert set(counts.drop([0, 1, 2])) == {3}


def test_caar_is_the_mean_of_the_cars_and_not_the_sum_of_the_aars(entity) -> None:
    caar = entity.caar.query("group == 'all' and window_start == 0 and window_end == 2").iloc[0]
    cars = [one(entity, symbol, (0, 2))["car"] for symbol in (IFLYTEK, HIKVISION, DAHUA)]
    assert (caar["n"], caar["caar"]) == (3, pytest.approx(np.mean(cars), rel=1e-12))
    assert abs(entity.aar.query("group == 'all' and 0 <= tau <= 2")["aar"].sum() - caar["caar"]) > 0.05


def test_placebo_firms_and_the_variant_stay_out_of_all(entity) -> None:
    n = entity.caar.query("window_start == 0 and window_end == 3").set_index("group")["n"]
    assert n.to_dict() == {"all": 3, "four firms": 4, "firms not listed": 4, "unconfounded": 2}


def test_confounded_windows_are_marked(entity) -> None:
    marked = entity.cars[entity.cars["confounded_by"] != ""]
    found = {(row.symbol, row.window_start, row.window_end) for row in marked.itertuples()}
    assert found == {
        *((IFLYTEK, lo, hi) for lo, hi in [(0, 2), (0, 3), (0, 5), (0, 10), (-10, 10)]),  # 9 October in the evening: tau 2
        *((HIKVISION, lo, hi) for lo, hi in [(0, 10), (-10, 10)]),  # Saturday 19 October: tau 9
    }


def test_meiya_pico_is_said_to_be_recorded_adjusted(entity) -> None:
    notes = entity.notes[entity.notes["symbol"] == MEIYA]["note"].tolist()
    assert any("adjusted" in note for note in notes)
    assert pd.isna(entity.data.set_index("symbol").loc[MEIYA, "limit_days"])  # adjusted levels cannot tell


def test_the_market_itself_moved_little(entity) -> None:
    found = entity.market.query("window_start == 0 and window_end == 2").iloc[0]
    total = exp(log(1.0061) + log(1.0014) + log(1.0082)) - 1
    assert found["benchmark"] == INDEX
    assert found["car"] == pytest.approx(total, abs=0.002)


def test_equality_of_effects_is_tested(entity) -> None:
    row = entity.tests.query("group == 'all' and window_start == 0 and window_end == 3 and test == 'equal_effects'").iloc[0]
    assert (row["n"], row["df"]) == (3, 213)
    assert 0 < row["p_value"] < 1


# --- the leak, ZTE, and the user's own panel --------------------------------------------------------------------------------


def test_leak_sessions(leak) -> None:
    found = leak.events.set_index("symbol")["event_session"].to_dict()
    assert found == {HIKVISION: "2019-05-22", DAHUA: "2019-05-22", IFLYTEK: "2019-05-23", MEIYA: "2019-05-23"}


def test_leak_windows(leak) -> None:
    assert leak.exclusions.empty
    assert set(leak.cars["status"]) == {"ok"}
    assert leak.computation.inputs.plan.headline_window == (0, 1)


def test_leak_groups(leak) -> None:
    n = leak.caar.query("window_start == 0 and window_end == 1").set_index("group")["n"]
    assert n.to_dict() == {"all": 4, "reports of 21 May": 2, "reports of 22 May": 2}


def test_hikvision_lost_as_published_on_the_day_after_the_report(leak, recorded) -> None:
    close = recorded(HIKVISION)["close"]
    assert 100 * (close["2019-05-22"] / close["2019-05-21"] - 1) == pytest.approx(-5.54, abs=0.006)
    row = leak.abnormal_returns.query("symbol == @HIKVISION and tau == 0").iloc[0]
    assert row["ret"] == pytest.approx(log(1 - 0.0554), abs=0.0001)


@pytest.mark.parametrize(
    ("config", "day", "sessions"),
    [
        ("zte-denial-2018.toml", "2018-04-16", ("2018-04-16", "2018-04-17")),
        ("entity-list-leak-2019.toml", "2019-05-21", ("2019-05-21", "2019-05-22")),
        ("entity-list-leak-2019.toml", "2019-05-22", ("2019-05-22", "2019-05-23")),
    ],
)
def test_bare_date_is_refused_for_the_leak_and_the_denial_order(root, config: str, day: str, sessions: tuple[str, str]) -> None:
    spec = es.load_study(root / "configs" / config)
    event = spec.event[0]
    bare = {"id": event.id, "firms": event.firms, "announced_on": dt.date.fromisoformat(day), "timezone": "America/New_York"}
    with pytest.raises(ConfigError) as refused:
        es.run_study(spec.replace(event=[bare]))
    for session in sessions:
        assert session in str(refused.value)


def test_zte_was_suspended_for_39_sessions_and_resumed_at_39(zte) -> None:
    rows = zte.abnormal_returns.set_index("tau")
    assert set(rows.loc[0:38, "status"]) == {"suspended"}
    assert rows.loc[0:38, "ar"].isna().all()
    assert (rows.loc[39, "status"], rows.loc[39, "span"], rows.loc[39, "session"]) == ("traded", 40, "2018-06-13")


def test_zte_closed_at_the_lower_limit_eight_times_in_a_row(zte) -> None:
    marks = zte.abnormal_returns.set_index("tau")["limit"]
    assert marks[marks == "down"].index.tolist() == list(range(39, 47))


def test_zte_windows(zte) -> None:
    found = zte.cars.set_index("window_end")[["status", "reason"]]
    assert found.loc[38].tolist() == ["undefined", "not_resumed"]
    assert found.loc[[39, 46, 60], "status"].tolist() == ["ok", "ok", "ok"]


def test_zte_lost_ten_per_cent_eight_times(zte, recorded) -> None:
    close = recorded(ZTE)["close"]
    assert close["2018-06-25"] / close["2018-04-16"] == pytest.approx(0.9**8, abs=0.001)
    rows = zte.abnormal_returns.set_index("tau")
    assert rows.loc[39:46, "ret"].sum() == pytest.approx(log(close["2018-06-25"] / close["2018-04-16"]), rel=1e-12)


def test_panel_example_runs_on_the_users_own_files(root) -> None:
    result = es.run_study(root / "configs" / "panel-example" / "panel-example.toml")
    assert result.exclusions.empty
    assert set(result.caar["group"]) >= {"all", "leak", "listing"}
    assert result.car((0, 2))["status"].tolist() == ["ok"] * 8


def test_the_same_shares_give_the_same_returns_from_the_users_files_as_from_the_snapshot(root, entity) -> None:
    own = es.run_study(root / "configs" / "panel-example" / "panel-example.toml").abnormal_returns
    own = own.query("event_id == 'listing-2019' and symbol == @MEIYA").set_index("tau")["ret"]
    theirs = entity.abnormal_returns.query("symbol == @MEIYA").set_index("tau")["ret"]
    assert (own - theirs).abs().max() < 1e-9


# --- the run folder ---------------------------------------------------------------------------------------------------------


def runs_in(out: Path) -> list[Path]:
    return sorted(path for path in (out / "entity-list-2019").iterdir() if path.is_dir() and not path.is_symlink())


def test_all_three_calls_succeed_and_say_where_the_report_is(entity_runs) -> None:
    _, calls = entity_runs
    assert [call.exit_code for call in calls] == [0, 0, 0], calls[0].stderr
    for call in calls:
        assert len(call.stdout.splitlines()) == 1
        assert Path(call.stdout.split()[-1]).is_file()


def test_forced_run_is_a_second_folder_and_an_unforced_one_is_unchanged(entity_runs) -> None:
    out, calls = entity_runs
    assert len(runs_in(out)) == 2
    assert "unchanged" in calls[2].stdout
    assert "unchanged" not in calls[0].stdout + calls[1].stdout


def test_second_run_is_byte_identical(entity_runs) -> None:
    first, second = runs_in(entity_runs[0])
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file() and path.name != "manifest.json")
    assert len(names) > len(TABLES)
    assert [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_folder_layout(entity_runs, root) -> None:
    out, _ = entity_runs
    for folder in runs_in(out):
        assert {path.name for path in folder.iterdir()} == {"report.html", "tables", "manifest.json", "config.toml"}
        assert {f"{name}.csv" for name in TABLES} <= {path.name for path in (folder / "tables").iterdir()}
        assert (folder / "config.toml").read_bytes() == (root / "configs" / "entity-list-2019.toml").read_bytes()
    assert {path.name for path in out.iterdir()} == {"entity-list-2019", "index.html"}
    assert not [path for path in out.rglob(".*") if path.name != ".lock"]


def test_latest_is_a_relative_link_to_the_newest_run(entity_runs) -> None:
    out, _ = entity_runs
    link = out / "entity-list-2019" / "latest"
    assert link.is_symlink()
    assert link.readlink() == Path(runs_in(out)[-1].name)


def test_run_id_is_time_and_identity_and_stands_in_the_manifest(entity_runs) -> None:
    for folder in runs_in(entity_runs[0]):
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", folder.name)
        assert (manifest["run_id"], manifest["identity"][:8]) == (folder.name, folder.name[-8:])
        fetched = {(told["fetched_at"], told["vintage"]) for told in manifest["series"].values()}
        assert {when for when, _ in fetched} == {""}  # nothing was fetched: the prices are those of the package
        assert all(re.fullmatch(r"[0-9a-f]{64}", vintage) for _, vintage in fetched)  # kept, for the run to be repeated


def test_run_id_stands_in_no_table_and_not_in_the_report(entity_runs) -> None:
    for folder in runs_in(entity_runs[0]):
        stamped = [path.name for path in folder.rglob("*") if path.is_file() and folder.name.encode() in path.read_bytes()]
        assert stamped == ["manifest.json"]


def test_index_lists_both_runs(entity_runs) -> None:
    page = (entity_runs[0] / "index.html").read_text(encoding="utf-8")
    assert all(folder.name in page for folder in runs_in(entity_runs[0]))


def test_tables_hold_full_precision_and_empty_cells(entity_runs, entity, read_csv) -> None:
    rows = read_csv(entity_runs[0] / "entity-list-2019" / "latest" / "tables" / "cars.csv")
    for row, want in zip(rows, entity.cars.itertuples(), strict=True):
        if want.status == "ok":
            assert (float(row["car"]), float(row["p_value"])) == (want.car, want.p_value)
        else:
            assert [row[name] for name in ("car", "se_car", "t", "df", "p_value", "p_holm", "ci_low", "ci_high")] == [""] * 8
            assert row["reason"]


def test_identity_does_not_depend_on_how_the_path_is_written(cli, root, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(root / "configs")
    first = cli("run", "zte-denial-2018.toml", "--out", tmp_path)
    again = cli("run", root / "configs" / "zte-denial-2018.toml", "--out", tmp_path)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "unchanged" in again.stdout
