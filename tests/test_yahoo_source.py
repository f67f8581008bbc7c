"""Yahoo as a source: every fault of its answers by itself, closes and dividends as traded, polite and bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from yahoo import Instrument, LoopbackSession, YahooServer, from_snapshot, isolated_yfinance
from yfinance import cache

from eventstudy.errors import (
    DataError,
    EventStudyError,
    MalformedAnswerError,
    NoPricesError,
    RateLimitedError,
    SourceUnreachableError,
    UnknownSymbolError,
)
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.yahoo import YahooSource
from eventstudy.trading import price_limits, total_return_level, trading_status

HIKVISION, HUNDSUN, INSPUR, INDEX = "002415.SZ", "600570.SS", "000977.SZ", "399001.SZ"
START, END = "2019-04-01", "2019-10-31"

Ask = Callable[..., PriceSeries]


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[YahooServer]:
    known = from_snapshot([HIKVISION, HUNDSUN, INSPUR, INDEX])
    with isolated_yfinance(tmp_path, hide_exceptions=True), YahooServer(known) as server:
        yield server


def source_of(yahoo: YahooServer, **settings: float) -> YahooSource:
    impatient = {"pause": 0, "wait": 0.01, "attempts": 2, "timeout": 2} | settings
    return YahooSource(session=LoopbackSession(yahoo.url), **impatient)  # type: ignore[arg-type]


@pytest.fixture
def ask(yahoo: YahooServer) -> Ask:
    def fetch(symbol: str = HIKVISION, start: str = START, end: str = END, kind: str = "share", **settings: float) -> PriceSeries:
        return source_of(yahoo, **settings).fetch(symbol, pd.Timestamp(start), pd.Timestamp(end), kind)  # type: ignore[arg-type]

    return fetch


def planted(yahoo: YahooServer, symbol: str = HIKVISION, start: str = START, end: str = END) -> pd.DataFrame:
    """The rows the server has: what was recorded, without those it lacks."""
    rows = yahoo.instruments[symbol].frame.loc[start:end]
    return rows[~rows.index.isin(pd.DatetimeIndex(yahoo.instruments[symbol].missing))]


def at(series: PriceSeries, date: str, column: str = "close") -> float:
    return float(series.frame[column].loc[pd.Timestamp(date)])


def test_good_answer_is_what_was_traded(yahoo: YahooServer, ask: Ask) -> None:
    series, truth = ask(), planted(yahoo)
    assert (series.symbol, series.source, series.kind, series.absent) == (HIKVISION, "yahoo", "share", "missing")
    assert series.notes == ()
    assert series.frame.index.equals(pd.DatetimeIndex(truth.index).as_unit("s"))
    assert series.frame["close"].tolist() == truth["close"].tolist()
    assert series.frame["volume"].tolist() == truth["volume"].tolist()
    assert series.frame["dividend"].to_dict() == {**dict.fromkeys(series.frame.index, 0.0), pd.Timestamp("2019-05-24"): 0.6}
    assert (series.frame["split"] == 1).all()
    assert series.frame["adj_close"].isna().all()


def test_index_is_served_as_an_index(yahoo: YahooServer, ask: Ask) -> None:
    series = ask(INDEX, kind="index")
    assert series.kind == "index"
    assert series.frame["close"].tolist() == planted(yahoo, INDEX)["close"].tolist()


@pytest.mark.parametrize(
    ("kind", "error", "sentence", "tries"),
    [
        ("404", NoPricesError, "Yahoo has no price of 002415.SZ", 1),
        ("429", RateLimitedError, "Yahoo asks for fewer questions (429)", 2),
        ("500", SourceUnreachableError, "Yahoo has a server error (500), asked for 002415.SZ: try again later", 2),
        ("broken_json", MalformedAnswerError, "Yahoo's answer for 002415.SZ is cut short or damaged: try again later", 2),
        ("will_be_right_back", SourceUnreachableError, "Yahoo is down for maintenance, asked for 002415.SZ: try again later", 2),
        ("reset", SourceUnreachableError, "Yahoo cannot be reached for 002415.SZ (ConnectionError", 2),
        ("truncate", MalformedAnswerError, "Yahoo's answer for 002415.SZ is cut short or damaged: try again later", 2),
        ("bad_request", SourceUnreachableError, "refuses to answer for 002415.SZ (400: Invalid input - start date cannot be", 2),
        ("all_null", NoPricesError, "has no price from 2019-04-01 to 2019-10-31", 1),
        ("no_volume", MalformedAnswerError, "Yahoo's answer for 002415.SZ has no volumes: try again later", 2),
        ("no_currency", MalformedAnswerError, "Yahoo's answer for 002415.SZ has no currency: try again later", 2),
        ("wrong_timezone", DataError, "in time zone America/New_York instead of Asia/Shanghai", 1),
    ],
)
def test_fault_is_an_error_of_its_own(
    yahoo: YahooServer, ask: Ask, kind: str, error: type[EventStudyError], sentence: str, tries: int
) -> None:
    yahoo.fault(HIKVISION, kind, only="prices")
    with pytest.raises(error) as caught:
        ask()
    assert type(caught.value) is error
    text = str(caught.value)
    assert sentence in text
    assert "\n" not in text
    assert "http" not in text
    assert len(text) < 200
    asked = yahoo.charts(HIKVISION)
    assert len(asked) // (2 if kind in ("404", "429", "500", "bad_request") else 1) == tries  # yfinance asks twice by itself
    assert len(ask(INDEX, kind="index").frame) > 100


def test_codes_of_the_errors() -> None:
    codes = {NoPricesError: 3, UnknownSymbolError: 3, DataError: 3, RateLimitedError: 5, MalformedAnswerError: 5}
    assert {error: error.exit_code for error in codes} == codes
    assert SourceUnreachableError.exit_code == 5


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("429", RateLimitedError),
        ("500", SourceUnreachableError),
        ("reset", SourceUnreachableError),
        ("truncate", MalformedAnswerError),
    ],
)
def test_fault_of_the_probe(yahoo: YahooServer, ask: Ask, kind: str, error: type[EventStudyError]) -> None:
    yahoo.fault(None, kind, only="probe")
    with pytest.raises(error) as caught:
        ask()
    assert type(caught.value) is error
    yahoo.clear_faults()
    assert len(ask().frame) > 100


@pytest.mark.parametrize("only", ["probe", "prices", "any"])
@pytest.mark.parametrize(
    ("reason", "error", "sentence"),
    [
        ("Invalid Crumb", SourceUnreachableError, "Yahoo refuses to answer for 002415.SZ (400: Invalid Crumb): try again later"),
        ("No data found, symbol may be delisted", UnknownSymbolError, "002415.SZ (No data found, symbol may be delisted): check"),
        ("Data doesn't exist for startDate = 1, endDate = 2", UnknownSymbolError, "(Data doesn't exist for startDate = 1"),
    ],
)
def test_only_an_unknown_symbol_is_unknown(
    yahoo: YahooServer, ask: Ask, only: str, reason: str, error: type[EventStudyError], sentence: str
) -> None:
    yahoo.fault(HIKVISION, "bad_request", only=only, reason=reason)
    with pytest.raises(error) as caught:
        ask()
    assert sentence in str(caught.value)


def test_nothing_of_yfinance_is_logged(yahoo: YahooServer, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    yahoo.crumb_limited = True
    yahoo.fault(HIKVISION, "500", only="prices")
    with pytest.raises(SourceUnreachableError):
        ask()
    assert caplog.records == []


def test_unknown_symbol(ask: Ask) -> None:
    for _ in range(2):
        with pytest.raises(UnknownSymbolError, match=r"^Yahoo does not know 999999\.SZ.*: check its spelling and suffix$"):
            ask("999999.SZ")


def test_hang_ends_in_time(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.fault(None, "hang", only="prices", seconds=20)
    began = time.monotonic()
    with pytest.raises(SourceUnreachableError, match=r"cannot be reached for 002415\.SZ \(Timeout"):
        ask(timeout=0.2)
    assert time.monotonic() - began < 3
    assert len(yahoo.charts(HIKVISION)) == 2


def test_refused_connection_and_recovery(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.refuse()
    with pytest.raises(SourceUnreachableError, match=r"cannot be reached.*check the network"):
        ask()
    yahoo.start()
    assert len(ask().frame) > 100


@pytest.mark.parametrize("kind", ["429", "500", "broken_json", "reset", "truncate", "no_volume"])
def test_flaky_then_fine(yahoo: YahooServer, ask: Ask, kind: str) -> None:
    yahoo.fault(HIKVISION, kind, times=4 if kind in ("429", "500") else 2, only="prices")
    assert ask(attempts=3).frame["close"].tolist() == planted(yahoo)["close"].tolist()


def test_waits_grow_between_tries(yahoo: YahooServer, ask: Ask) -> None:
    moments: list[float] = []
    record = yahoo.record

    def timed(request: object) -> None:
        moments.append(time.monotonic())
        record(request)  # type: ignore[arg-type]

    ask()
    yahoo.record = timed  # type: ignore[assignment,method-assign]
    yahoo.fault(HIKVISION, "reset", only="prices")
    with pytest.raises(SourceUnreachableError):
        ask(attempts=4, wait=0.15)
    gaps = np.diff(moments)
    assert len(gaps) == 3
    assert (gaps > np.array([0.15, 0.3, 0.6])).all()
    assert (gaps < np.array([0.15, 0.3, 0.6]) + 0.15 + 0.5).all()


def test_pause_between_symbols(yahoo: YahooServer) -> None:
    source = source_of(yahoo, pause=0.3)
    began = time.monotonic()
    for symbol in (HIKVISION, INSPUR):
        source.fetch(symbol, pd.Timestamp(START), pd.Timestamp(END), "share")
    assert time.monotonic() - began >= 0.9  # four questions, three pauses


def test_total_time_is_bounded(yahoo: YahooServer) -> None:
    source = source_of(yahoo, total=1.0, timeout=0.4, attempts=50)
    yahoo.fault(None, "hang", only="prices", seconds=20)
    began = time.monotonic()
    for symbol in (HIKVISION, INSPUR, HUNDSUN):
        with pytest.raises(SourceUnreachableError):
            source.fetch(symbol, pd.Timestamp(START), pd.Timestamp(END), "share")
    assert time.monotonic() - began < 4
    yahoo.requests.clear()
    with pytest.raises(SourceUnreachableError, match="took longer than 1 s for all symbols"):
        source.fetch(INDEX, pd.Timestamp(START), pd.Timestamp(END), "index")
    assert yahoo.requests == []


def test_never_more_than_asked_for(yahoo: YahooServer, ask: Ask) -> None:
    ask(INSPUR)
    midnight = [int(pd.Timestamp(day, tz="Asia/Shanghai").timestamp()) for day in (START, "2019-11-01", END)]
    first, later = yahoo.charts(INSPUR)
    assert len(yahoo.charts(only="any")) == 3  # with the probe
    assert [int(first["period1"]), int(first["period2"])] == midnight[:2]
    assert int(later["period1"]) == midnight[2]  # the last price, then what was split since
    assert abs(int(later["period2"]) - time.time()) < 3 * 86400
    assert all(query["interval"] == "1d" for query in (first, later))
    charts = [asked.path for asked in yahoo.requests if "/chart/" in asked.path]
    assert {path.rpartition("/")[2] for path in charts} == {INSPUR}


def test_csi_300_before_2021_is_refused_with_what_to_take(yahoo: YahooServer, ask: Ask) -> None:
    with pytest.raises(NoPricesError) as caught:
        ask("000300.SS", kind="index")
    for part in ("CSI 300", "before 2021-03-11", "399001.SZ", "000001.SS", "snapshot"):
        assert part in str(caught.value)
    assert yahoo.requests == []


# --- rows


def test_flat_rows_without_volume_come_as_they_are(ask: Ask) -> None:
    rows = ask().frame.loc["2019-10-08":"2019-10-09", ["open", "high", "low", "close", "volume"]]
    assert rows.to_numpy().tolist() == [[32.3, 32.3, 32.3, 32.3, 0.0]] * 2


def test_missing_rows_stay_missing(ask: Ask) -> None:
    assert not ask().frame.index.isin(pd.DatetimeIndex(["2019-04-29", "2019-04-30"])).any()


def test_null_row_is_a_row_without_a_price(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.fault(HIKVISION, "null_row", on="2019-06-03")
    series = ask()
    assert series.frame.index[series.frame["close"].isna()].tolist() == [pd.Timestamp("2019-06-03")]


def test_null_volume_of_a_moved_close_is_no_suspension(yahoo: YahooServer, ask: Ask) -> None:
    from eventstudy.calendar import exchange_sessions

    yahoo.fault(HIKVISION, "null_volume", on="2019-06-03")
    series = ask()
    assert at(series, "2019-06-03", "volume") == 0
    calendar = exchange_sessions("XSHG", pd.Timestamp(START).date())
    status, notes = trading_status(series, calendar)
    assert status[calendar.sessions.get_loc("2019-06-03")] == "traded"
    assert [code for code, _ in notes] == ["zero_volume_moved"]


@pytest.mark.parametrize("only", ["any", "probe"])
def test_wrong_timezone_never_shifts_or_loses_a_row(yahoo: YahooServer, ask: Ask, only: str) -> None:
    yahoo.fault(HIKVISION, "wrong_timezone", only=only)
    if only == "any":
        with pytest.raises(DataError, match="its dates cannot be trusted"):
            ask()
    else:  # kept on disk by yfinance: the days asked for would begin half a day late
        series = ask()
        assert cache.get_tz_cache().lookup(HIKVISION) == "America/New_York"
        assert series.frame["close"].tolist() == planted(yahoo)["close"].tolist()


def test_half_formed_bar_of_today_is_cut_off(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.fault(HIKVISION, "half_bar_today", at="2019-10-31 14:00")
    series = ask(end="2019-10-30")
    assert series.frame["close"].tolist() == planted(yahoo, end="2019-10-30")["close"].tolist()


# --- corporate actions


def test_missing_adjclose_takes_dividends_as_dated(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.fault(HIKVISION, "no_adjclose")
    series = ask()
    assert at(series, "2019-05-24", "dividend") == 0.6
    assert series.frame["close"].tolist() == planted(yahoo)["close"].tolist()
    assert series.notes == ("the answer has no adjusted closes: dividends are taken as dated",)


def test_split_inside_the_range_is_undone(yahoo: YahooServer, ask: Ask) -> None:
    series, truth = ask(HUNDSUN), planted(yahoo, HUNDSUN)
    assert [at(series, day) for day in ("2019-05-14", "2019-05-15")] == [83.15, 66.60]
    assert series.frame["close"].tolist() == pytest.approx(truth["close"].tolist(), rel=2e-7)
    assert series.frame["volume"].tolist() == truth["volume"].tolist()
    assert at(series, "2019-05-15", "split") == 1.3
    assert at(series, "2019-05-15", "dividend") == pytest.approx(0.32, abs=1e-6)
    assert series.frame["dividend"].sum() == at(series, "2019-05-15", "dividend")
    growth = total_return_level(series, pd.DatetimeIndex(series.frame.index))
    assert growth["2019-05-15"] / growth["2019-05-14"] == pytest.approx((66.60 * 1.3 + 0.32) / 83.15, abs=1e-7)


@pytest.mark.parametrize("end", ["2019-05-14", "2019-04-28"])
def test_split_after_the_range_is_undone(yahoo: YahooServer, ask: Ask, end: str) -> None:
    series = ask(HUNDSUN, end=end)
    truth = planted(yahoo, HUNDSUN, end=end)
    assert series.frame["close"].tolist() == pytest.approx(truth["close"].tolist(), rel=2e-7)
    assert (series.frame["split"] == 1).all()


def test_planted_splits_after_the_range_change_nothing(yahoo: YahooServer, ask: Ask) -> None:
    before = ask().frame
    share = yahoo.instruments[HIKVISION]
    share.add_session("2020-03-02", 17.0, 1000.0)
    share.split("2020-03-02", 2.0)
    share.add_session("2020-03-31", 17.0, 1000.0)  # a second one in the same quarter
    share.split("2020-03-31", 1.5)
    shown = share.bars()["close"].loc["2019-10-31"]
    assert shown == pytest.approx(before["close"].iloc[-1] / 3, rel=1e-6)
    after = ask().frame
    assert after["close"].tolist() == pytest.approx(before["close"].tolist(), rel=2e-7)
    assert after[["volume", "split"]].equals(before[["volume", "split"]])
    assert after["dividend"].tolist() == pytest.approx(before["dividend"].tolist(), abs=1e-5)


@pytest.fixture
def halved(yahoo: YahooServer) -> Callable[[str], pd.DataFrame]:
    """Let Hikvision give one share for each on a date, with cash; return what was traded."""

    def split_on(date: str) -> pd.DataFrame:
        share = yahoo.instruments[HIKVISION]
        later = share.frame.index >= date
        share.frame.loc[later, "close"] = (share.frame.loc[later, "close"] / 2).round(2)
        share.revise("2019-04-26", close=31.82)  # up to the limit: 28.93 was the close before
        share.revise("2019-04-25", close=28.93)
        share.split(date, 2.0)
        share.pay(date, 0.6)
        return planted(yahoo)

    return split_on


@pytest.mark.parametrize("date", ["2019-04-29", "2019-04-30"])  # Yahoo lacks both rows
def test_split_on_a_missing_row_is_booked_on_the_next(
    yahoo: YahooServer, ask: Ask, halved: Callable[[str], pd.DataFrame], date: str
) -> None:
    truth, series = halved(date), ask()
    assert series.frame["close"].tolist() == pytest.approx(truth["close"].tolist(), rel=2e-7)
    assert series.frame["volume"].tolist() == truth["volume"].tolist()
    assert series.frame["split"][series.frame["split"] != 1].to_dict() == {pd.Timestamp("2019-05-06"): 2.0}
    assert at(series, "2019-05-06", "dividend") == pytest.approx(0.6, abs=1e-5)
    assert "a split of 2 falls after 2019-04-26 on a session Yahoo has no row of: booked on 2019-05-06" in series.notes
    days = pd.DatetimeIndex(series.frame.index)
    growth = total_return_level(series, days)
    over_the_gap = (2 * truth["close"]["2019-05-06"] + 0.6) / truth["close"]["2019-04-26"]
    assert growth["2019-05-06"] / growth["2019-04-26"] == pytest.approx(over_the_gap, abs=1e-6)
    assert price_limits(series, days, 0.10)["2019-04-26"] == "up"
    assert len(yahoo.charts(HIKVISION)) == 3  # the prices, what was split since, the day before the gap


def test_split_on_the_last_row_before_a_gap_stays_there(
    yahoo: YahooServer, ask: Ask, halved: Callable[[str], pd.DataFrame]
) -> None:
    truth, series = halved("2019-04-26"), ask()
    assert series.frame["close"].tolist() == pytest.approx(truth["close"].tolist(), rel=2e-7)
    assert series.frame["split"][series.frame["split"] != 1].to_dict() == {pd.Timestamp("2019-04-26"): 2.0}
    assert series.notes == ()


def test_split_on_a_missing_row_at_the_end_of_the_range(ask: Ask, halved: Callable[[str], pd.DataFrame]) -> None:
    truth = halved("2019-04-29").loc[:"2019-04-26"]
    series = ask(end="2019-04-30")
    assert series.frame["close"].dropna().tolist() == pytest.approx(truth["close"].tolist(), rel=2e-7)


def test_split_dated_on_a_missing_row_after_the_range(yahoo: YahooServer, ask: Ask) -> None:
    before = ask(end="2019-04-26").frame["close"].tolist()
    yahoo.instruments[HIKVISION].split("2019-04-29", 2.0)  # Yahoo lacks that row
    assert ask(end="2019-04-26").frame["close"].tolist() == pytest.approx(before, rel=2e-7)


@pytest.mark.parametrize("kind", ["bad_request", "404", "500"])
def test_later_splits_not_answered_are_no_prices_at_all(yahoo: YahooServer, ask: Ask, kind: str) -> None:
    """Closes of which nobody knows by what they were divided must not be taken for those traded."""
    good = yahoo.due

    def due(symbol: str, query: dict[str, str]) -> object:
        later = int(query.get("period2", 0)) > pd.Timestamp("2020-06-01").timestamp()
        return good(symbol, query) if later else None

    yahoo.due = due  # type: ignore[assignment,method-assign]
    yahoo.fault(HIKVISION, kind, only="prices")
    with pytest.raises((NoPricesError, SourceUnreachableError)):
        ask()


def test_delisted_share_is_served(yahoo: YahooServer, ask: Ask) -> None:
    share = yahoo.instruments[HIKVISION]
    share.frame = share.frame.loc[:"2019-09-30"]
    series = ask()
    assert series.frame.index[-1] == pd.Timestamp("2019-09-30")
    assert series.frame["close"].tolist() == planted(yahoo)["close"].tolist()


def test_dividend_on_a_missing_row_is_booked_on_the_next(yahoo: YahooServer, ask: Ask) -> None:
    series, truth = ask(INSPUR), yahoo.instruments[INSPUR].frame["close"]
    paid = series.frame["dividend"][series.frame["dividend"] != 0]
    assert paid.to_dict() == {pd.Timestamp("2019-05-06"): 0.06}
    assert series.notes == ("a dividend of 0.06 falls after 2019-04-26 on a session Yahoo has no row of: booked on 2019-05-06",)
    growth = total_return_level(series, pd.DatetimeIndex(series.frame.index))
    over_the_gap = (truth["2019-05-06"] + 0.06) / truth["2019-04-26"]
    assert growth["2019-05-06"] / growth["2019-04-26"] == pytest.approx(over_the_gap, abs=1e-9)
    assert growth["2019-04-26"] / growth["2019-04-25"] == pytest.approx(truth["2019-04-26"] / truth["2019-04-25"], abs=1e-9)


def test_dividend_dated_where_it_falls_stays_there(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.instruments[HIKVISION].pay("2019-04-26", 0.06)
    series = ask()
    assert at(series, "2019-04-26", "dividend") == pytest.approx(0.06, abs=1e-6)
    assert series.notes == ()


def test_dividends_of_neighbouring_sessions_stay_where_they_are(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.instruments[HIKVISION].pay("2019-06-03", 0.02)
    yahoo.instruments[HIKVISION].pay("2019-06-04", 0.9)
    yahoo.instruments[HIKVISION].pay("2019-06-14", 0.02)  # a Friday
    yahoo.instruments[HIKVISION].pay("2019-06-17", 0.9)
    yahoo.instruments[HIKVISION].pay("2019-04-26", 0.02)  # before the missing rows
    yahoo.instruments[HIKVISION].pay("2019-05-06", 0.9)  # after them
    series = ask()
    paid = series.frame["dividend"][series.frame["dividend"] != 0]
    assert {f"{day:%Y-%m-%d}": round(cash, 4) for day, cash in paid.items()} == {
        "2019-04-26": 0.02, "2019-05-06": 0.9, "2019-05-24": 0.6, "2019-06-03": 0.02, "2019-06-04": 0.9, "2019-06-14": 0.02,
        "2019-06-17": 0.9,
    }  # fmt: skip
    assert series.notes == ()


def test_phantom_dividend_is_told(yahoo: YahooServer, ask: Ask) -> None:
    yahoo.fault(HIKVISION, "phantom_rows", on="2020-01-02")
    series = ask(end="2020-01-31")
    assert np.isnan(at(series, "2020-01-02"))
    assert series.notes == ("a dividend is dated on a session without a price: 2020-01-02",)
    assert series.frame["close"].iloc[:-1].tolist() == planted(yahoo, end="2020-01-31")["close"].tolist()


def test_revision_between_two_fetches_is_seen(yahoo: YahooServer, ask: Ask) -> None:
    before = ask()
    yahoo.instruments[HIKVISION].revise("2019-04-04", close=35.93)
    after = ask()  # yfinance keeps answers in the process
    assert (at(before, "2019-04-04"), at(after, "2019-04-04")) == (35.77, 35.93)
    assert before.content_hash != after.content_hash


def test_other_suffixes_and_zones(yahoo: YahooServer, ask: Ask) -> None:
    index = pd.bdate_range("2019-10-01", periods=5)
    frame = pd.DataFrame({"close": [10.0, 10.1, 10.2, 10.3, 10.4], "volume": 100.0}, index=index)
    for symbol, zone in (("ACME", "America/New_York"), ("0700.HK", "Asia/Hong_Kong")):
        yahoo.instruments[symbol] = Instrument(symbol, frame, timezone=zone)
        series = ask(symbol, "2019-10-01", "2019-10-07")
        assert series.frame["close"].tolist() == frame["close"].tolist()
        assert series.frame.index[0] == index[0]
