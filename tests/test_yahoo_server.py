"""The loopback Yahoo, met by yfinance itself: what the other tests rely on is shown here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yfinance
from curl_cffi.requests.exceptions import ConnectionError as CurlConnectionError
from curl_cffi.requests.exceptions import HTTPError, IncompleteRead, Timeout
from yahoo import ForeignHostError, Instrument, LoopbackSession, YahooServer, from_snapshot, isolated_yfinance
from yfinance import cache
from yfinance.data import YfData
from yfinance.exceptions import YFDataException, YFPricesMissingError, YFRateLimitError, YFTzMissingError

pytestmark = pytest.mark.filterwarnings(
    r"ignore:The inplace keyword in DataFrame\.\w+ is deprecated:pandas.errors.Pandas4Warning:yfinance"
)

HIKVISION, HUNDSUN, INSPUR, INDEX = "002415.SZ", "600570.SS", "000977.SZ", "399001.SZ"
SINGLE = 1e-7  # relative: half a unit of the last place in 32 bits


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[YahooServer]:
    with isolated_yfinance(tmp_path), YahooServer(from_snapshot([HIKVISION, HUNDSUN, INSPUR, INDEX])) as server:
        yield server


def history(
    yahoo: YahooServer,
    symbol: str = HIKVISION,
    start: str = "2019-04-01",
    end: str = "2019-11-01",
    timeout: float = 5.0,
    anew: bool = True,
) -> pd.DataFrame:
    """Ask as the field notes say; `anew` clears yfinance's own cache of answers first."""
    if anew:
        YfData.cache_get.cache_clear()
    ticker = yfinance.Ticker(symbol, session=LoopbackSession(yahoo.url))
    frame = ticker.history(start=start, end=end, auto_adjust=False, actions=True, keepna=True, timeout=timeout)
    assert isinstance(frame, pd.DataFrame)
    return frame


def by_date(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(pd.DatetimeIndex(frame.index).tz_localize(None).as_unit("s"), axis=0)


def cell(frame: pd.DataFrame, date: str, column: str) -> float:
    return float(frame[column].loc[[date]].item())


def cells(frame: pd.DataFrame, date: str, *columns: str) -> list[float]:
    return [cell(by_date(frame), date, column) for column in columns]


def daily(closes: list[float], volumes: list[float], start: str = "2020-01-06") -> Instrument:
    index = pd.bdate_range(start, periods=len(closes))
    return Instrument("000001.SZ", pd.DataFrame({"close": closes, "volume": volumes}, index=index))


def test_good_symbol_comes_back_as_planted(yahoo: YahooServer) -> None:
    shown = by_date(history(yahoo))
    planted = yahoo.instruments[HIKVISION].frame.loc["2019-04-01":"2019-10-31"]
    planted = planted.drop(pd.DatetimeIndex(["2019-04-29", "2019-04-30"]))
    assert shown.index.equals(pd.DatetimeIndex(planted.index).as_unit("s"))
    assert shown["Close"].to_numpy() == pytest.approx(planted["close"].to_numpy(), rel=SINGLE)
    assert shown["Volume"].to_list() == planted["volume"].to_list()
    assert shown["Dividends"].to_list() == planted["dividend"].to_list()
    assert shown["Dividends"].loc["2019-05-24"] == 0.6
    assert (shown["Stock Splits"] == 0).all()
    assert shown["Adj Close"].iloc[-1] == shown["Close"].iloc[-1]
    assert cell(shown, "2019-05-23", "Adj Close") == pytest.approx(24.56 - 0.6, rel=SINGLE)


def test_requests_are_yfinances_own(yahoo: YahooServer) -> None:
    history(yahoo)
    history(yahoo)
    assert [(asked.host, asked.path) for asked in yahoo.requests] == [
        ("fc.yahoo.com", "/"),
        ("query1.finance.yahoo.com", "/v1/test/getcrumb"),
        *[("query2.finance.yahoo.com", f"/v8/finance/chart/{HIKVISION}")] * 3,
    ]
    assert len(yahoo.charts(HIKVISION, only="probe")) == 1
    start = int(pd.Timestamp("2019-04-01", tz="Asia/Shanghai").timestamp())
    assert [query["period1"] for query in yahoo.charts(HIKVISION)] == [str(start)] * 2
    assert yahoo.charts(INDEX) == []


def test_answers_stay_in_yfinances_own_cache(yahoo: YahooServer) -> None:
    history(yahoo)
    history(yahoo, anew=False)
    assert len(yahoo.charts(HIKVISION)) == 1


@pytest.mark.parametrize("symbol", [HIKVISION, INDEX])
def test_april_days_are_missing(yahoo: YahooServer, symbol: str) -> None:
    shown = by_date(history(yahoo, symbol, "2019-04-26", "2019-05-07"))
    assert [f"{date:%m-%d}" for date in shown.index] == ["04-26", "05-06"]


def test_suspended_days_are_flat_without_volume(yahoo: YahooServer) -> None:
    shown = by_date(history(yahoo)).loc["2019-10-08":"2019-10-09"]
    assert len(shown) == 2
    assert (shown["Volume"] == 0).all()
    assert shown[["Open", "High", "Low", "Close"]].to_numpy() == pytest.approx(32.30, rel=SINGLE)


def test_prices_are_single_precision(yahoo: YahooServer) -> None:
    assert cell(by_date(history(yahoo)), "2019-10-08", "Close") == 32.29999923706055
    yahoo.instruments[HIKVISION].single_precision = False
    assert cell(by_date(history(yahoo)), "2019-10-08", "Close") == 32.30


def test_index_moves_without_volume(yahoo: YahooServer) -> None:
    shown = history(yahoo, INDEX)
    assert (shown["Volume"] == 0).all()
    assert (shown["High"] > shown["Low"]).all()


def test_split_adjusts_closes_volumes_and_dividends_before_it(yahoo: YahooServer) -> None:
    shown = by_date(history(yahoo, HUNDSUN)).loc["2019-05-14":"2019-05-15"]
    before, after = yahoo.instruments[HUNDSUN].frame["volume"].loc["2019-05-14":"2019-05-15"]
    assert shown["Close"].to_list() == pytest.approx([83.15 / 1.3, 66.60], rel=SINGLE)
    assert shown["Volume"].to_list() == [round(before * 1.3), after]
    assert shown["Stock Splits"].to_list() == [0.0, 1.3]
    assert shown["Dividends"].to_list() == [0.0, round(0.32 / 1.3, 6)]
    assert shown["Adj Close"].iloc[0] == pytest.approx((83.15 - 0.32) / 1.3, rel=SINGLE)


def test_split_after_the_range_asked_for_is_not_announced(yahoo: YahooServer) -> None:
    shown = by_date(history(yahoo, HUNDSUN, end="2019-05-15"))
    assert shown["Close"].iloc[-1] == pytest.approx(83.15 / 1.3, rel=SINGLE)
    assert (shown["Stock Splits"] == 0).all()


def test_history_can_be_rewritten_between_requests(yahoo: YahooServer) -> None:
    history(yahoo)
    share = yahoo.instruments[HIKVISION]
    share.revise("2019-10-31", close=40.0)
    share.pay("2019-10-31", 0.5)
    assert cells(history(yahoo), "2019-10-31", "Close", "Dividends") == [40.0, 0.5]
    share.add_session("2019-12-31", 31.0, 1000.0)
    share.split("2019-12-31", 2.0)
    assert cells(history(yahoo), "2019-10-31", "Close", "Dividends") == [20.0, 0.25]
    assert cells(history(yahoo, end="2020-01-01"), "2019-12-31", "Close", "Stock Splits") == [31.0, 2.0]


def test_unknown_close_of_a_suspended_day_is_the_last(yahoo: YahooServer) -> None:
    yahoo.instruments["000001.SZ"] = daily([10.0, float("nan"), 10.5, float("nan")], [5.0, 0.0, 6.0, 7.0])
    shown = history(yahoo, "000001.SZ", "2020-01-01", "2020-02-01")
    assert shown["Close"].iloc[:3].to_list() == [10.0, 10.0, 10.5]
    assert shown[["Open", "High", "Low", "Close"]].iloc[1].to_list() == [10.0] * 4
    assert shown["Close"].isna().to_list() == [False, False, False, True]


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("404", YFPricesMissingError, "No data found, symbol may be delisted"),
        ("429", YFRateLimitError, "Too Many Requests"),
        ("500", json.JSONDecodeError, "Expecting value"),
        ("broken_json", json.JSONDecodeError, "line 1 column"),
        ("will_be_right_back", YFDataException, "CURRENTLY DOWN"),
        ("reset", CurlConnectionError, "reset"),
        ("truncate", IncompleteRead, "bytes missing"),
        ("bad_request", YFPricesMissingError, "Invalid input - start date cannot be after end date"),
        ("no_volume", KeyError, "volume"),
        ("no_currency", KeyError, "currency"),
    ],
)
def test_fault_of_the_prices(yahoo: YahooServer, kind: str, error: type[Exception], message: str) -> None:
    yahoo.fault(HIKVISION, kind, only="prices")
    with pytest.raises(error, match=message):
        history(yahoo)
    assert len(history(yahoo, INDEX)) > 100
    yahoo.clear_faults()
    assert len(history(yahoo)) > 100


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("404", HTTPError),
        ("429", YFRateLimitError),
        ("500", json.JSONDecodeError),
        ("broken_json", json.JSONDecodeError),
        ("will_be_right_back", json.JSONDecodeError),
        ("reset", CurlConnectionError),
        ("truncate", IncompleteRead),
        ("bad_request", YFTzMissingError),
    ],
)
def test_fault_of_the_probe(yahoo: YahooServer, kind: str, error: type[Exception]) -> None:
    yahoo.fault(None, kind, only="probe")
    with pytest.raises(error):
        history(yahoo)
    assert yahoo.charts() == []


def test_hang_ends_in_timeout(yahoo: YahooServer) -> None:
    yahoo.fault(None, "hang", only="prices", seconds=20)
    with pytest.raises(Timeout):
        history(yahoo, timeout=0.2)


def test_hang_over_in_time_is_a_good_answer(yahoo: YahooServer) -> None:
    yahoo.fault(None, "hang", seconds=0.05)
    assert len(history(yahoo)) > 100


def test_refused_connection_and_recovery(yahoo: YahooServer) -> None:
    yahoo.refuse()
    with pytest.raises(CurlConnectionError, match="connect"):
        history(yahoo)
    yahoo.start()
    assert len(history(yahoo)) > 100
    yahoo.refuse()
    with pytest.raises(CurlConnectionError, match="connect"):
        history(yahoo)
    assert len(yahoo.charts()) == 1


def test_unknown_symbol_is_a_404_twice_and_then_a_missing_time_zone(yahoo: YahooServer) -> None:
    for _ in range(2):
        with pytest.raises(HTTPError, match="404") as caught:
            history(yahoo, "999999.SZ")
        assert caught.value.response.status_code == 404
    with pytest.raises(YFTzMissingError, match="no timezone found"):
        history(yahoo, "999999.SZ")


def test_yfinance_asks_twice_after_a_bad_status(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "500", times=1, only="prices")
    assert len(history(yahoo)) > 100
    yahoo.fault(HIKVISION, "500", times=2, only="prices")
    with pytest.raises(json.JSONDecodeError):
        history(yahoo)
    assert len(history(yahoo)) > 100
    assert len(yahoo.charts(HIKVISION)) == 5


def test_bad_answer_stays_in_yfinances_cache(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "broken_json", times=1, only="prices")
    with pytest.raises(json.JSONDecodeError):
        history(yahoo)
    with pytest.raises(json.JSONDecodeError):
        history(yahoo, anew=False)
    assert len(history(yahoo)) > 100


def test_range_before_the_first_row_is_refused_with_a_reason(yahoo: YahooServer) -> None:
    with pytest.raises(YFPricesMissingError, match="Data doesn't exist for startDate"):
        history(yahoo, INDEX, "2010-01-01", "2010-02-01")


def test_range_without_sessions_has_no_prices(yahoo: YahooServer) -> None:
    with pytest.raises(YFPricesMissingError, match="no price data found"):
        history(yahoo, INDEX, "2019-10-01", "2019-10-07")


def test_limited_crumb_does_not_stop_the_prices(yahoo: YahooServer) -> None:
    yahoo.crumb_limited = True
    assert len(history(yahoo)) > 100


def test_all_null_is_no_error(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "all_null")
    shown = history(yahoo)
    assert shown[["Open", "High", "Low", "Close", "Adj Close"]].isna().all(axis=None)
    assert len(shown) > 100
    assert (shown["Volume"] == 0).all()


def test_null_row_keeps_its_place(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "null_row", on="2019-06-03")
    shown = by_date(history(yahoo))
    assert shown.index[shown["Close"].isna()].to_list() == [pd.Timestamp("2019-06-03")]


def test_null_volume_looks_like_none(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "null_volume", on="2019-06-03")
    shown = by_date(history(yahoo))
    assert cell(shown, "2019-06-03", "Volume") == 0
    assert cell(shown, "2019-06-03", "High") > cell(shown, "2019-06-03", "Low")


def test_missing_adjclose_is_silently_the_close(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "no_adjclose")
    shown = history(yahoo)
    assert shown["Adj Close"].equals(shown["Close"].rename("Adj Close"))
    assert shown["Dividends"].sum() > 0


@pytest.mark.parametrize("only", ["any", "prices"])
def test_wrong_timezone_shifts_the_dates(yahoo: YahooServer, only: str) -> None:
    right = by_date(history(yahoo))["Close"]
    cache.get_tz_cache().store(HIKVISION, None)
    yahoo.fault(HIKVISION, "wrong_timezone", only=only)
    wrong = history(yahoo)
    assert str(pd.DatetimeIndex(wrong.index).tz) == "America/New_York"
    assert by_date(wrong)["Close"].loc["2019-10-30"] == right.loc["2019-10-31"]


def test_wrong_timezone_of_the_probe_is_kept_on_disk(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "wrong_timezone", only="probe")
    assert str(pd.DatetimeIndex(history(yahoo).index).tz) == "Asia/Shanghai"
    assert cache.get_tz_cache().lookup(HIKVISION) == "America/New_York"
    start = int(pd.Timestamp("2019-04-01", tz="America/New_York").timestamp())
    assert yahoo.charts(HIKVISION)[0]["period1"] == str(start)


def test_dividend_after_the_last_row_adds_one_without_a_price(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "phantom_rows", on="2020-01-02")
    shown = by_date(history(yahoo, end="2020-02-01"))
    assert shown.index[-1] == pd.Timestamp("2020-01-02")
    assert shown.iloc[-1][["Close", "Volume", "Dividends"]].fillna(-1).to_list() == [-1, 0, 0.05]


def test_dividend_on_a_missing_row_moves_to_the_one_before(yahoo: YahooServer) -> None:
    shown = by_date(history(yahoo, INSPUR))
    assert shown.index[shown["Dividends"] > 0].to_list() == [pd.Timestamp("2019-04-26")]
    yahoo.fault(HIKVISION, "phantom_rows", on="2019-04-30", amount=0.07)
    assert cell(by_date(history(yahoo)), "2019-04-26", "Dividends") == 0.07


def test_dividends_true_date_is_left_on_the_ticker(yahoo: YahooServer) -> None:
    ticker = yfinance.Ticker(INSPUR, session=LoopbackSession(yahoo.url))
    ticker.history(start="2019-04-01", end="2019-11-01")
    paid = ticker._lazy_load_price_history()._dividends
    assert [f"{date:%Y-%m-%d %H:%M}" for date in paid.index] == ["2019-04-30 09:30"]


def test_open_session_gives_a_half_formed_bar(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "half_bar_today", at="2019-10-31 14:00")
    shown = by_date(history(yahoo))
    planted = yahoo.instruments[HIKVISION].frame
    assert shown.index[-1] == pd.Timestamp("2019-10-31")
    assert shown["Volume"].iloc[-1] < cell(planted, "2019-10-30", "volume") / 2
    ticker = yfinance.Ticker(HIKVISION, session=LoopbackSession(yahoo.url))
    ticker.history(start="2019-04-01", end="2019-11-01")
    about = ticker.get_history_metadata()
    assert str(about["regularMarketTime"]) == "2019-10-31 14:00:00+08:00"
    assert str(about["currentTradingPeriod"]["regular"]["end"]) == "2019-10-31 15:00:00+08:00"


def test_bar_of_now_after_the_end_asked_for_is_dropped(yahoo: YahooServer) -> None:
    yahoo.fault(HIKVISION, "half_bar_today")
    assert by_date(history(yahoo)).index[-1] == pd.Timestamp("2019-10-31")


def test_hidden_exceptions_are_an_empty_frame(tmp_path: Path) -> None:
    with isolated_yfinance(tmp_path, hide_exceptions=True), YahooServer(from_snapshot([HIKVISION])) as yahoo:
        yahoo.fault(None, "500")
        assert history(yahoo).empty


def test_isolation_forgets_and_restores(tmp_path: Path) -> None:
    before = (yfinance.config.debug.hide_exceptions, cache._TzDBManager.get_location())
    for name in ("first", "second"):
        with isolated_yfinance(tmp_path / name), YahooServer(from_snapshot([HIKVISION])) as yahoo:
            history(yahoo)
            assert len(yahoo.charts(only="probe")) == 1
            assert {asked.host for asked in yahoo.requests} > {"fc.yahoo.com", "query1.finance.yahoo.com"}
        assert (tmp_path / name / "tkr-tz.db").exists()
    assert (yfinance.config.debug.hide_exceptions, cache._TzDBManager.get_location()) == before


@pytest.mark.parametrize(
    "url", ["https://example.com/", "https://yahoo.com.example.org/", "https://notyahoo.com/", "http://127.0.0.1/"]
)
def test_session_refuses_other_hosts(yahoo: YahooServer, url: str) -> None:
    with pytest.raises(ForeignHostError, match="must not reach"):
        LoopbackSession(yahoo.url).get(url)
    assert yahoo.requests == []


def test_unknown_fault_is_refused(yahoo: YahooServer) -> None:
    with pytest.raises(ValueError, match="no fault 'teapot'"):
        yahoo.fault(None, "teapot")
    with pytest.raises(ValueError, match="any, probe or prices"):
        yahoo.fault(None, "404", only="crumb")
