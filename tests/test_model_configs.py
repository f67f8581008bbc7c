"""Each model from a config with the user's files to its tables, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import eventstudy as es
from eventstudy.errors import ConfigError, DataError
from eventstudy.setting import evaluate, own_setting
from eventstudy.sources.factortable import factor_table, read_factors

PLACE = 130
SYMBOLS = ("AAA", "BBB", "CCC", "PPP", "QQQ", "RRR")


@pytest.fixture
def made(panel):
    return panel(SYMBOLS)


def factor_frame(days: pd.DatetimeIndex) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    found = pd.DataFrame(rng.normal(0, 0.008, (len(days), 3)), index=days, columns=["mkt_rf", "smb", "hml"])
    return found.assign(rf=0.0001 + np.abs(rng.normal(0, 0.00002, len(days))))


@pytest.fixture
def study(made, study_on_disk) -> Callable[..., es.StudyResult]:
    """Run a study of three firms with a model; prices of six."""

    def run(prices: pd.DataFrame | None = None, **model: object):
        config = study_on_disk(made, made.events(PLACE, list(SYMBOLS[:3])), prices, model=model)
        factors = factor_frame(made.prices.index)
        (100 * factors).rename_axis("date").to_csv(config.parent / "factors.csv", date_format="%Y-%m-%d")
        index = made.benchmark.to_frame("INDEX").assign(INDUSTRY=np.exp(np.log(made.prices[["QQQ", "RRR"]]).mean(axis=1)))
        index.rename_axis("date").to_csv(config.parent / "benchmark.csv", date_format="%Y-%m-%d")
        return es.run_study(config)

    return run


def car_by_hand(made, symbol: str, x: pd.DataFrame, y: pd.Series | None = None) -> tuple[float, float, np.ndarray]:
    """CAR[0, 3] of OLS on estimation [-100, -11], its error, and the coefficients."""
    y = np.log(made.prices[symbol]).diff() if y is None else y
    sample, event = slice(PLACE - 100, PLACE - 10), slice(PLACE, PLACE + 4)
    fit = sm.OLS(y.iloc[sample], sm.add_constant(x.iloc[sample])).fit()
    total = np.r_[4.0, x.iloc[event].sum()]
    factor = 4 + total @ fit.normalized_cov_params.to_numpy() @ total
    return float(y.iloc[event].sum() - total @ fit.params), float(np.sqrt(fit.scale * factor)), fit.params.to_numpy()


def check(result, made, symbol: str, x: pd.DataFrame, columns: list[str], y: pd.Series | None = None) -> None:
    car, se, params = car_by_hand(made, symbol, x, y)
    row = result.cars.set_index("symbol").loc[symbol]
    assert_allclose([row["car"], row["se_car"]], [car, se])
    assert_allclose(result.models.set_index("symbol").loc[symbol, columns].astype(float), params)
    assert set(result.tests["reason"]) <= {"", "different_rows"}


def test_factors_from_a_file_in_per_cent(made, study, tmp_path: Path) -> None:
    result = study(name="factors", factors="factors.csv", factor_columns=["mkt_rf", "smb", "hml"], risk_free_column="rf")
    logs = np.log1p(factor_frame(made.prices.index))
    y = np.log(made.prices["BBB"]).diff() - logs["rf"]
    check(result, made, "BBB", logs[["mkt_rf", "smb", "hml"]], ["alpha", "coef_mkt_rf", "coef_smb", "coef_hml"], y)
    assert result.models["beta"].isna().all()
    assert "per cent" in " ".join(result.notes["note"])
    page = (result.write(tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert "The factors of factors.csv are read as per cent." in page


def test_capm_takes_the_risk_free_rate_off_both_sides(made, study) -> None:
    result = study(name="capm", factors="factors.csv", risk_free_column="rf", factor_units="percent")
    rf = np.log1p(factor_frame(made.prices.index)["rf"])
    market = (np.log(made.benchmark).diff() - rf).to_frame()
    check(result, made, "AAA", market, ["alpha", "beta"], np.log(made.prices["AAA"]).diff() - rf)


def test_peers_are_an_equal_weighted_portfolio(made, study) -> None:
    result = study(name="peers", peers=["PPP", "QQQ", "RRR"])
    mean = np.log1p(made.prices[["PPP", "QQQ", "RRR"]].pct_change().mean(axis=1)).to_frame()
    check(result, made, "CCC", mean, ["alpha", "coef_peers"])
    assert {"PPP", "QQQ", "RRR"} <= set(result.data["symbol"])


def test_the_industry_index_beside_the_market(made, study) -> None:
    result = study(name="industry", industry_benchmark="INDUSTRY")
    market = np.log(made.benchmark).diff()
    industry = np.log(made.prices[["QQQ", "RRR"]]).mean(axis=1).diff()
    car, se, params = car_by_hand(made, "AAA", pd.DataFrame({"m": market, "i": industry}))
    row = result.cars.set_index("symbol").loc["AAA"]
    assert_allclose([row["car"], row["se_car"]], [car, se])
    models = result.models.set_index("symbol").loc["AAA"]
    plain = car_by_hand(made, "AAA", market.to_frame())[2]
    assert_allclose([models["beta"], models["coef_industry"]], [plain[1], params[2]])
    assert "INDUSTRY" in set(result.data["symbol"])


def test_the_same_study_on_frames(made, study) -> None:
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    factors = factor_frame(made.prices.index)
    given = {"windows": windows, "tests": ["portfolio_t"]}
    events = made.events(PLACE, list(SYMBOLS[:3]))
    frames = es.event_study(
        events, made.prices, made.benchmark, model="factors", factors=factors, risk_free_column="rf", **given
    )
    disk = study(name="factors", factors="factors.csv", factor_columns=["mkt_rf", "smb", "hml"], risk_free_column="rf")
    assert_allclose(frames.cars["car"], disk.cars["car"])
    peers = es.event_study(events, made.prices, made.benchmark, model="peers", peers=["PPP", "QQQ", "RRR"], **given)
    assert_allclose(peers.cars["car"], study(name="peers", peers=["PPP", "QQQ", "RRR"]).cars["car"])


def test_factors_of_a_session_that_is_missing_in_the_file(made) -> None:
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (5, 9)], min_observations=60)
    factors = factor_frame(made.prices.index).drop(index=made.prices.index[[60, PLACE + 2]])
    result = es.event_study(
        made.events(PLACE, ["AAA"]), made.prices, made.benchmark, windows=windows, model="factors", factors=factors
    )
    assert result.models["nobs"].tolist() == [89]
    assert "2 sessions have no value of every factor" in " ".join(result.notes["note"])
    assert result.cars["reason"].tolist() == ["factor_missing", ""]


def test_factors_of_no_session_are_refused(made) -> None:
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    factors = factor_frame(made.prices.index)
    factors.index += pd.Timedelta(days=4000)
    with pytest.raises(DataError, match="none of its dates is a session of benchmark"):
        es.event_study(made.events(PLACE), made.prices, made.benchmark, windows=windows, model="factors", factors=factors)


@pytest.mark.parametrize(
    "model",
    [
        {"name": "peers", "peers": ["PPP", "QQQ"]},
        {"name": "industry", "industry_benchmark": "INDUSTRY"},
        {"name": "dimson"},
        {"name": "factors", "factors": "factors.csv", "factor_columns": ["smb", "hml"]},
    ],
    ids=lambda model: model["name"],
)
def test_what_explains_another_tools_number_starts_from_this_model(study, model: dict) -> None:
    result = study(**model)
    plan = result.computation.inputs.plan
    for firm, car in zip(result.computation.firms, result.cars["car"], strict=True):
        assert_allclose(evaluate(own_setting(firm, plan, (0, 3))).car, car)


def test_what_explains_another_tools_number_needs_least_squares(study) -> None:
    result = study(name="market", estimator="huber")
    with pytest.raises(ConfigError, match="explain starts from least squares"):
        own_setting(result.computation.firms[0], result.computation.inputs.plan, (0, 3))


FRENCH = """This file was created by hand for a test, as the data library lays its files out
Missing data are indicated by -99.99 or -999.

,Mkt-RF,SMB,HML,RF
20180102,    0.85,    0.36,   -0.21,   0.006
20180103,    0.59,   -0.39,   -0.18,   0.006
20180104,   -0.42,  -99.99,    0.24,   0.006
20180105,    0.66,   -0.35,   -0.26,   0.006

 Annual Factors: January-December
,Mkt-RF,SMB,HML,RF
2018,   -6.95,   -3.21,   -9.73,   1.83

Copyright
"""


def test_a_file_of_the_data_library_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "F-F.csv"
    path.write_text(FRENCH, encoding="utf-8")
    found = read_factors(path, ["Mkt-RF", "SMB"], "RF", None)
    assert [f"{date:%Y-%m-%d}" for date in found.frame.index] == ["2018-01-02", "2018-01-03", "2018-01-04", "2018-01-05"]
    assert_allclose(found.frame["Mkt-RF"], [0.0085, 0.0059, -0.0042, 0.0066])
    assert_allclose(found.frame["SMB"], [0.0036, -0.0039, np.nan, -0.0035])
    assert_allclose(found.frame["RF"], 0.00006)
    assert found.notes == ("the factors of F-F.csv are read as per cent",)


TABLE = pd.DataFrame({"date": ["2018-01-02", "2018-01-03", "2018-01-04"], "smb": [0.004, -0.003, 0.002], "rf": [1e-5] * 3})


@pytest.mark.parametrize(
    ("change", "given", "told"),
    [
        ({}, {"columns": ["smd"]}, "no column 'smd': perhaps you meant 'smb'"),
        ({}, {"columns": [], "risk_free": "rf"}, "do not tell their unit"),
        ({"smb": [0.1, -0.1, 0.05]}, {}, "do not tell their unit"),
        ({}, {"units": "percent"}, "is that of decimals"),
        ({"smb": [0.4, -0.3, 0.9]}, {"units": "decimal"}, "is that of per cent"),
        ({"smb": ["0.004", "x", "0.1"]}, {}, "'x' is not a finite number"),
        ({"date": ["2018-01-02", "2018-01-02", "2018-01-04"]}, {}, "two rows are dated 2018-01-02"),
        ({"date": ["2018-01-02", "2.1.2018", "2018-01-04"]}, {}, "is not a date"),
        ({"smb": [0.004, -1.0, 0.002]}, {"units": "decimal"}, "is that of per cent"),
        ({"smb": [0.4, -120.0, 0.2]}, {"units": "percent"}, "-100% or less"),
        ({"alpha": [0.1, 0.2, 0.3]}, {"columns": ["alpha"]}, "cannot be called 'alpha'"),
    ],
)
def test_a_table_of_factors_that_cannot_be_used(change: dict, given: dict, told: str) -> None:
    arguments = {"columns": ["smb"], "risk_free": "", "units": None} | given
    with pytest.raises((ConfigError, DataError), match=told):
        factor_table(TABLE.assign(**change), "factors.csv", **arguments)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"name": "capm"}, "model 'capm' needs factors ="),
        ({"name": "factors", "factors": "f.csv"}, "model 'factors' needs factor_columns"),
        ({"name": "peers"}, "model 'peers' needs peers"),
        ({"name": "two_index", "global_benchmark": "^GSPC"}, "needs global_calendar"),
        ({"name": "industry"}, "needs industry_benchmark"),
        ({"name": "peers", "peers": ["PPP", "PPP"]}, "names a symbol twice"),
        ({"name": "peers", "peers": ["PPP", "BBB"]}, "BBB is one of the peers and has the event"),
        ({"name": "peers", "peers": ["PPP", "ZZZ"]}, "peer ZZZ is not to be had"),
        ({"name": "factors", "factors": "f.csv", "factor_columns": ["smb"]}, "f.csv: the file cannot be read"),
        ({"name": "industry", "industry_benchmark": "NONE"}, "index NONE of the model is not to be had"),
        ({"name": "factor"}, "name"),
    ],
)
def test_a_model_that_lacks_something_is_refused_in_a_sentence(study, model: dict, told: str) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        study(**model)
