"""The Python door: everything the contract promises to research code."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import eventstudy as es
from eventstudy.errors import ConfigError, DataError

COLUMNS = {
    "events": "event_id symbol name group announced_at event_session first_traded_session status reason",
    "models": "event_id symbol model nobs n_sessions df_resid sigma r_squared alpha beta",
    "abnormal_returns": "event_id symbol tau session status limit span ret mkt expected ar se_ar t p_value",
    "cars": "event_id symbol window_start window_end car se_car t df p_value p_holm ci_low ci_high status reason confounded_by",
    "aar": "group tau n aar",
    "caar": "group window_start window_end n caar median_car n_negative",
    "tests": "group window_start window_end test null statistic df p_value n reason",
    "exclusions": "event_id symbol stage reason",
    "data": "symbol source content_hash first last sessions traded suspended missing limit_days",
}
WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (0, 0)], min_observations=60)
CARS = ["car", "se_car", "t", "p_value", "ci_low", "ci_high"]


@pytest.fixture(scope="module")
def made(panel):
    return panel()


@pytest.fixture(scope="module")
def plain(made) -> es.StudyResult:
    """The study on a wide frame, which every other shape is compared with."""
    return study(made, made.prices)


def study(made, prices: pd.DataFrame, benchmark: object = None, **options: object) -> es.StudyResult:
    given = {"events": made.events(130), "windows": WINDOWS, "tests": ["portfolio_t"]} | options
    return es.event_study(prices=prices, benchmark=made.benchmark if benchmark is None else benchmark, **given)


def same(result: es.StudyResult, want: es.StudyResult, symbols: tuple[str, ...] = ("AAA", "BBB", "CCC"), **how: object) -> None:
    for name in ("models", "abnormal_returns", "cars"):
        got, wanted = (getattr(one, name).drop(columns="p_holm", errors="ignore") for one in (result, want))
        wanted = wanted[wanted["symbol"].isin(symbols)].reset_index(drop=True)
        assert_frame_equal(got, wanted, **({"check_exact": True} | how))


# --- run_study --------------------------------------------------------------------------------------------------------------


def test_path_text_dict_and_spec_are_the_same_study(root: Path) -> None:
    path = root / "configs" / "zte-denial-2018.toml"
    want = es.run_study(path).cars
    for given in (str(path), tomllib.loads(path.read_text(encoding="utf-8")), es.load_study(path)):
        assert_frame_equal(es.run_study(given).cars, want, check_exact=True)


def test_dict_of_files_starts_from_the_working_directory(made, study_on_disk, config_of, monkeypatch) -> None:
    path = study_on_disk(made, made.events(130))
    monkeypatch.chdir(path.parent)
    assert_frame_equal(es.run_study(config_of()).cars, es.run_study(path).cars, check_exact=True)


def test_spec_replaces_a_key_by_its_name(root: Path) -> None:
    spec = es.load_study(root / "configs" / "entity-list-2019.toml")
    changed = spec.replace(headline_window=(0, 5))
    assert (spec.headline_window, changed.headline_window) == ((0, 3), (0, 5))


def test_spec_replaces_a_section_and_an_array_of_tables(root: Path) -> None:
    spec = es.load_study(root / "configs" / "zte-denial-2018.toml")
    changed = spec.replace(model={"name": "mean"}, mask=[{"from": "2017-06-01", "to": "2017-06-02", "reason": "x"}])
    assert (changed.model.name, changed.model.returns, len(changed.mask)) == ("mean", "log", 1)
    models = es.run_study(changed).models
    assert models["beta"].isna().all()
    assert models["nobs"].iloc[0] < es.run_study(spec).models["nobs"].iloc[0]


def test_replaced_spec_of_files_still_finds_them(made, study_on_disk) -> None:
    spec = es.load_study(study_on_disk(made, made.events(130)))
    assert len(es.run_study(spec.replace(alpha=0.10)).cars) == 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"headline_window": (0, 99)}, "none of"),
        ({"main_window": (0, 5)}, "no key"),
        ({"name": "x"}, "several sections"),
        ({"alpha": 7}, "alpha"),
    ],
)
def test_spec_refuses_what_is_no_study(root: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        es.load_study(root / "configs" / "entity-list-2019.toml").replace(**changes)


def test_spec_is_frozen(root: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        es.load_study(root / "configs" / "entity-list-2019.toml").model = None


def test_the_result_is_what_the_command_line_writes(entity, entity_runs) -> None:
    folder = entity_runs[0] / "entity-list-2019" / "latest" / "tables"
    for name in COLUMNS:
        assert (folder / f"{name}.csv").read_text(encoding="utf-8") == entity.tables()[name].to_csv(index=False)


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_exactly_those_of_the_contract(entity, name: str) -> None:
    wanted = COLUMNS[name].split()
    found = list(getattr(entity, name).columns)
    assert found[: len(wanted)] == wanted
    assert name == "models" or len(found) == len(wanted)  # diagnostics follow in `models` alone


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_stay_without_rows_or_firms(made, name: str) -> None:
    events = pd.DataFrame({"event_id": "e", "symbol": ["AAA"], "announced_at": "2099-01-05T10:00:00+08:00"})
    found = getattr(study(made, made.prices, events=events, calendar="XSHG"), name)
    assert list(found.columns)[: len(COLUMNS[name].split())] == COLUMNS[name].split()


# --- the result -------------------------------------------------------------------------------------------------------------


def test_car_returns_the_rows_of_one_window(plain) -> None:
    found = plain.car((0, 0))
    assert found["symbol"].tolist() == ["AAA", "BBB", "CCC"]
    assert set(zip(found["window_start"], found["window_end"], strict=True)) == {(0, 0)}
    with pytest.raises(ConfigError, match=r"no CAR window \[0, 9\]"):
        plain.car((0, 9))


def test_headline_is_the_first_window_unless_named(made, plain) -> None:
    other = study(made, made.prices, headline_window=(0, 0))
    assert plain.summary()["car"].tolist()[:3] == plain.car((0, 3))["car"].tolist()
    assert other.summary()["car"].tolist()[:3] == plain.car((0, 0))["car"].tolist()


def test_summary_ends_with_the_mean(plain) -> None:
    last = plain.summary().iloc[-1]
    assert last["event_id"] == "CAAR"
    assert last["car"] == pytest.approx(plain.car((0, 3))["car"].mean(), rel=1e-12)


def test_a_notebook_shows_a_table(plain) -> None:
    assert "<table" in plain._repr_html_()
    for symbol in ("AAA", "BBB", "CCC"):
        assert symbol in plain._repr_html_()
        assert symbol in repr(plain)


def test_symbols_are_escaped_in_a_notebook(made) -> None:
    odd = made.prices.rename(columns={"AAA": "<b>A"})
    events = made.events(130, ["<b>A"])
    assert "<b>A" not in study(made, odd, events=events)._repr_html_()


def test_write_makes_a_run_folder(plain, tmp_path: Path) -> None:
    folder = plain.write(tmp_path / "out")
    assert folder.parent.parent == tmp_path / "out"
    assert (folder / "report.html").is_file()
    written = pd.read_csv(folder / "tables" / "cars.csv", keep_default_na=False)
    assert written["car"].tolist() == plain.cars["car"].tolist()


def test_numbers_equal_those_of_the_command_line(made, study_on_disk, cli, tmp_path: Path) -> None:
    path = study_on_disk(made, made.events(130), windows={"car": [[0, 3], [0, 0]]}, inference={"headline_window": [0, 3]})
    assert cli("run", path, "--out", tmp_path / "out").exit_code == 0
    folder = tmp_path / "out" / "panel" / "latest" / "tables"
    result = study(made, made.prices, tests=["cross_sectional_t", "portfolio_t"])
    for name in ("models", "abnormal_returns", "cars", "aar", "caar", "tests"):
        assert (folder / f"{name}.csv").read_text(encoding="utf-8") == result.tables()[name].to_csv(index=False), name


def test_entity_list_from_frames_equals_the_config(entity) -> None:
    shares = es.fetch_prices(["002415.SZ", "002236.SZ"], start="2018-09-01", end="2019-11-15", source="snapshot")
    index = es.fetch_prices(["000300.SS"], start="2017-01-01", end="2019-11-15", source="snapshot", kind="index")
    events = pd.DataFrame({"event_id": "x", "symbol": ["002415.SZ", "002236.SZ"], "session": "2019-10-08"})
    windows = es.Windows(estimation=(-250, -31), event=(-10, 10), car=[(0, 3), (0, 0)])
    result = es.event_study(
        events, shares, index.set_index("date")["close"], windows=windows, calendar="XSHG", masks=[("2019-05-21", "2019-05-24")]
    )
    got = result.cars.set_index(["symbol", "window_end"])[CARS]
    want = entity.cars[entity.cars["symbol"].isin(["002415.SZ", "002236.SZ"]) & (entity.cars["window_start"] == 0)]
    want = want.set_index(["symbol", "window_end"]).loc[got.index, CARS]
    assert_frame_equal(got, want, check_exact=True)


def test_fetch_prices_is_a_long_table() -> None:
    table = es.fetch_prices(["002415.SZ", "600570.SS"], start="2019-05-13", end="2019-05-15", source="snapshot")
    assert list(table.columns) == ["date", "symbol", "close", "adj_close", "volume", "dividend", "split"]
    assert table["symbol"].tolist() == ["002415.SZ"] * 3 + ["600570.SS"] * 3
    last = table.iloc[-1]
    assert (last["dividend"], last["split"]) == (0.32, 1.3)


def test_fetch_prices_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="source"):
        es.fetch_prices(["002415.SZ"], start="2019-05-13", end="2019-05-15", source="abacus")
    with pytest.raises(DataError, match="no XXX"):
        es.fetch_prices(["XXX"], start="2019-05-13", end="2019-05-15", source="snapshot")
