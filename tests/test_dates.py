"""From the instant of an announcement to the session that can first react to it."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
import tomli_w

from eventstudy.calendar import SessionCalendar, benchmark_sessions, calendar_name, exchange_sessions
from eventstudy.configfile import load_study
from eventstudy.errors import ConfigError
from eventstudy.events import Announcement, DatedEvent, EventFirm, date_event, parse_instant
from eventstudy.eventtable import events_from_table
from eventstudy.inputs import study_events

NEW_YORK, SHANGHAI, HONG_KONG = "America/New_York", "Asia/Shanghai", "Asia/Hong_Kong"


def sessions_of(name: str) -> SessionCalendar:
    return exchange_sessions(name, dt.date(2018, 1, 2))


def dated_on(day: str, date_only: str = "refuse", calendar: str = "XSHG", timezone: str = NEW_YORK) -> list[DatedEvent]:
    when = Announcement(on=dt.date.fromisoformat(day), timezone=timezone)
    return date_event(EventFirm("ban", "002415.SZ", when, date_only=date_only), sessions_of(calendar))


def days(found: list[DatedEvent], calendar: str = "XSHG") -> list[str]:
    return [f"{sessions_of(calendar).sessions[item.place]:%Y-%m-%d}" for item in found if item.place is not None]


@pytest.mark.parametrize(
    ("exchange", "local", "zone", "session"),
    [
        ("XSHG", "2019-10-07T16:30:00", NEW_YORK, "2019-10-08"),  # China closed since the 1st
        ("XSHG", "2019-10-08T02:59:59", NEW_YORK, "2019-10-08"),
        ("XSHG", "2019-10-08T03:00:00", NEW_YORK, "2019-10-09"),  # 15:00 in Shanghai: the close itself is too late
        ("XSHG", "2019-10-08T08:00:00", SHANGHAI, "2019-10-08"),  # before the open
        ("XSHG", "2019-10-08T12:00:00", SHANGHAI, "2019-10-08"),  # lunch break
        ("XSHG", "2019-10-08T14:59:59", SHANGHAI, "2019-10-08"),
        ("XSHG", "2019-10-08T15:00:01", SHANGHAI, "2019-10-09"),
        ("XSHG", "2019-10-01T10:00:00", SHANGHAI, "2019-10-08"),  # National Day holiday
        ("XSHG", "2019-10-12T12:00:00", SHANGHAI, "2019-10-14"),  # Saturday, a working day of China's but no session
        ("XSHG", "2019-09-30T15:00:00", SHANGHAI, "2019-10-08"),  # after the last close before the holiday
        ("XNYS", "2019-11-27T15:59:59", NEW_YORK, "2019-11-27"),
        ("XNYS", "2019-11-27T16:00:00", NEW_YORK, "2019-11-29"),  # Thanksgiving between
        ("XNYS", "2019-11-29T12:59:59", NEW_YORK, "2019-11-29"),  # half day
        ("XNYS", "2019-11-29T13:00:00", NEW_YORK, "2019-12-02"),
        ("XNYS", "2019-07-01T19:59:59+00:00", None, "2019-07-01"),  # summer time: the close is 20:00 UTC
        ("XNYS", "2019-07-01T20:00:00+00:00", None, "2019-07-02"),
        ("XNYS", "2019-12-02T20:59:59+00:00", None, "2019-12-02"),  # winter time: 21:00 UTC
        ("XNYS", "2019-12-02T21:00:00+00:00", None, "2019-12-03"),
        ("XHKG", "2019-12-24T11:59:59", HONG_KONG, "2019-12-24"),  # half day
        ("XHKG", "2019-12-24T12:00:00", HONG_KONG, "2019-12-27"),
        ("XHKG", "2019-02-04T12:00:00", HONG_KONG, "2019-02-08"),  # half day before the lunar new year
    ],
)
def test_first_session_whose_close_comes_after_the_instant(exchange: str, local: str, zone: str | None, session: str) -> None:
    when = Announcement(instant=parse_instant(local, zone))
    assert days(date_event(EventFirm("e", "X", when), sessions_of(exchange)), exchange) == [session]


@pytest.mark.parametrize(
    ("symbol", "own", "market", "name"),
    [
        ("002415.SZ", None, None, "XSHG"),
        ("600570.SS", None, None, "XSHG"),
        ("0700.HK", None, "XSHG", "XHKG"),
        ("AAPL", None, "XNYS", "XNYS"),
        ("BRK.B", None, "XNYS", "XNYS"),  # a class of shares is no exchange
        ("002415.SZ", "XHKG", "XSHG", "XHKG"),
        ("002415.SZ", None, "benchmark", "benchmark"),
        ("002415.SZ", "XSHG", "benchmark", "XSHG"),
    ],
)
def test_calendar_is_the_firms_own_key_then_its_suffix_then_the_market(symbol, own, market, name) -> None:
    assert calendar_name(symbol, own, market) == name


def test_a_symbol_without_any_calendar_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no calendar for AAPL.*give calendar"):
        calendar_name("AAPL", None, None)


@pytest.mark.parametrize("name", ["XSHH", "xshg", "XSHE"])  # XSHE is Shenzhen's code: it shares Shanghai's sessions
def test_an_unknown_calendar_is_refused_with_the_one_that_is_meant(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{name}' is unknown.*XSHG"):
        exchange_sessions(name, dt.date(2018, 1, 1))


def test_each_firm_of_one_announcement_follows_its_own_exchange(panel, study_on_disk, tmp_path) -> None:
    made = panel(("A.HK", "B.SZ", "C.SS", "D", "E.SZ"), sessions=500)  # 2018-01-01 to 2019-11-29
    events = pd.DataFrame({"event_id": "e", "symbol": list(made.prices), "announced_at": "2019-10-02T10:00:00+08:00"})
    path = study_on_disk(
        made, events, market={"calendar": "XSHG", "benchmark": "INDEX"}, firm=[{"symbol": "E.SZ", "calendar": "XHKG"}]
    )
    import eventstudy as es

    found = es.run_study(path).events.set_index("symbol")["event_session"].to_dict()
    china, hong_kong = "2019-10-08", "2019-10-02"  # Hong Kong was open on the 2nd
    assert found == {"A.HK": hong_kong, "B.SZ": china, "C.SS": china, "D": china, "E.SZ": hong_kong}


def test_date_in_a_closure_maps_to_one_session_whatever_the_minute() -> None:
    found = dated_on("2019-10-07")
    assert days(found) == ["2019-10-08"]
    assert [item.event_id for item in found] == ["ban"]


@pytest.mark.parametrize("day", ["2018-04-16", "2019-05-21", "2019-05-22"])
def test_date_over_a_close_is_refused_with_both_sessions_and_the_line_to_paste(day: str) -> None:
    with pytest.raises(ConfigError) as refused:
        dated_on(day)
    next_day = dt.date.fromisoformat(day) + dt.timedelta(days=1)
    message = str(refused.value)
    for part in (day, next_day.isoformat(), "002415.SZ", "'ban'", 'date_only = "first"', 'date_only = "last"', "announced_at"):
        assert part in message


@pytest.mark.parametrize(("choice", "sessions"), [("first", ["2018-04-16"]), ("last", ["2018-04-17"])])
def test_date_over_a_close_takes_the_chosen_session(choice: str, sessions: list[str]) -> None:
    assert days(dated_on("2018-04-16", choice)) == sessions


def test_date_over_a_close_with_both_gives_two_events() -> None:
    found = dated_on("2018-04-16", "both")
    assert days(found) == ["2018-04-16", "2018-04-17"]
    assert [item.event_id for item in found] == ["ban-first", "ban-last"]


def test_date_in_the_exchanges_own_zone_straddles_its_close() -> None:
    assert days(dated_on("2019-10-08", "both", timezone=SHANGHAI)) == ["2019-10-08", "2019-10-09"]


def test_saturday_in_the_exchanges_own_zone_is_one_session() -> None:
    assert days(dated_on("2019-10-19", timezone=SHANGHAI)) == ["2019-10-21"]


def test_date_only_of_the_event_goes_before_that_of_the_study(config_of, tmp_path) -> None:
    event = {"announced_on": dt.date(2018, 4, 16), "timezone": NEW_YORK, "firms": ["002415.SZ"]}
    events = [{"id": "a"} | event, {"id": "b", "date_only": "both"} | event]
    config = config_of(study={"name": "x", "date_only": "last"}, event=events)
    del config["study"]["events"]
    (tmp_path / "x.toml").write_text(tomli_w.dumps(config), encoding="utf-8")
    assert [item.date_only for item in study_events(load_study(tmp_path / "x.toml"))] == ["last", "both"]


def test_date_only_is_a_column_of_the_events_file() -> None:
    common = {"symbol": "X", "announced_on": "2018-04-16", "timezone": NEW_YORK}
    table = pd.DataFrame([{"event_id": "a", "date_only": "both"} | common, {"event_id": "b", "date_only": ""} | common])
    assert [item.date_only for item in events_from_table(table, "events.csv", "first")] == ["both", "first"]


def test_written_offset_is_kept() -> None:
    # arrow.get(text, tzinfo=...) drops it in silence
    assert parse_instant("2019-10-07T16:30:00-04:00", None).astimezone(dt.UTC) == dt.datetime(2019, 10, 7, 20, 30, tzinfo=dt.UTC)


def test_offset_and_zone_that_agree_are_accepted() -> None:
    assert parse_instant("2019-10-07T16:30:00-04:00", NEW_YORK).astimezone(dt.UTC).hour == 20


@pytest.mark.parametrize(("offset", "zone"), [("-04:00", SHANGHAI), ("-05:00", NEW_YORK), ("+00:00", NEW_YORK)])
def test_offset_and_zone_that_contradict_are_refused(offset: str, zone: str) -> None:
    with pytest.raises(ConfigError, match=r"another offset than.*drop one"):
        parse_instant(f"2019-10-07T16:30:00{offset}", zone)


def test_naive_time_without_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither an offset nor a timezone: add timezone"):
        parse_instant("2019-10-07T16:30:00", None)


def test_local_time_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="occurs twice in America/New_York"):
        parse_instant("2019-11-03T01:30:00", NEW_YORK)


@pytest.mark.parametrize(("offset", "hour"), [("-04:00", 5), ("-05:00", 6)])
def test_local_time_that_occurs_twice_is_settled_by_its_offset(offset: str, hour: int) -> None:
    assert parse_instant(f"2019-11-03T01:30:00{offset}", NEW_YORK).astimezone(dt.UTC).hour == hour


def test_local_time_that_the_clock_skips_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not exist in America/New_York"):
        parse_instant("2019-03-10T02:30:00", NEW_YORK)


@pytest.mark.parametrize("zone", ["EST", "CST", "EDT", "GMT+8", "Z", "Europe/Atlantis", "america/new_york", "-04:00", "../x"])
def test_zone_that_is_no_iana_name_is_refused(zone: str) -> None:
    with pytest.raises(ConfigError, match="not an IANA zone"):
        parse_instant("2019-10-07T16:30:00", zone)


@pytest.mark.parametrize(
    "text",
    ["2019-10-07T16:30:00 EST", "2019-10-07 4:30pm", "07/10/2019 16:30", "yesterday", "1570480200", "2019-13-01T00:00", ""],
)
def test_text_that_is_no_iso_date_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not an ISO 8601 date and time"):
        parse_instant(text, NEW_YORK)


@pytest.mark.parametrize("text", ["2019-10-07", "20191007"])
def test_date_alone_is_no_instant(text: str) -> None:
    with pytest.raises(ConfigError, match="no time of day: use announced_on"):
        parse_instant(text, NEW_YORK)


@pytest.mark.parametrize(
    "line",
    [
        'announced_at = "2019-10-07T16:30:00-04:00"',
        'announced_at = "2019-10-07T16:30:00"\ntimezone = "America/New_York"',
        'announced_at = "2019-10-07 16:30"\ntimezone = "America/New_York"',
        'announced_at = "2019-10-07T20:30:00Z"',
        "announced_at = 2019-10-07T16:30:00-04:00",
        'announced_at = 2019-10-07T16:30:00\ntimezone = "America/New_York"',
        'announced_at = 2019-10-07 16:30:00\ntimezone = "America/New_York"',
        "announced_at = 2019-10-07T20:30:00Z",
    ],
)
def test_toml_date_times_and_strings_name_the_same_instant(line: str, config_of, tmp_path) -> None:
    config = config_of()
    config["study"] = {"name": "x"}
    text = f'[[event]]\nid = "e"\nfirms = ["AAA"]\n{line}\n'
    (tmp_path / "x.toml").write_text(tomli_w.dumps(config) + text, encoding="utf-8")
    (event,) = study_events(load_study(tmp_path / "x.toml"))
    assert event.announcement.instant is not None
    assert event.announcement.instant.astimezone(dt.UTC) == dt.datetime(2019, 10, 7, 20, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("announced_at = 2019-10-07\ntimezone = 'America/New_York'", "no time of day: use announced_on"),
        ("announced_at = 1570480200", "announced_at"),
        ("announced_on = 1570406400\ntimezone = 'America/New_York'", "announced_on"),
        ("announced_on = 2019-10-07", "announced_on needs timezone"),
        ("session = 1570492800", "session"),
        ("session = 2019-10-08T10:00:00", "session"),
        ("announced_at = 16:30:00\ntimezone = 'America/New_York'", "announced_at"),
        ("announced_on = 2019-10-07\nsession = 2019-10-08\ntimezone = 'America/New_York'", "exactly one of announced_at"),
        ("timezone = 'America/New_York'", "exactly one of announced_at"),
        ("announced_on = 2019-10-07\ntimezone = 'EST'", "not an IANA zone"),
    ],
)
def test_toml_dates_that_say_something_else_are_refused(line: str, told: str, config_of, tmp_path) -> None:
    config = config_of()
    config["study"] = {"name": "x"}
    (tmp_path / "x.toml").write_text(tomli_w.dumps(config) + f'[[event]]\nid = "e"\nfirms = ["AAA"]\n{line}\n', encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        study_events(load_study(tmp_path / "x.toml"))
    assert told in str(refused.value)


FAR_AHEAD = [Announcement(session=dt.date(2099, 1, 5)), Announcement(instant=dt.datetime(2099, 1, 5, tzinfo=dt.UTC))]


@pytest.mark.parametrize("when", FAR_AHEAD, ids=["session", "instant"])
def test_past_the_end_of_the_calendar_there_is_no_session_yet(when: Announcement) -> None:
    (found,) = date_event(EventFirm("e", "X", when), sessions_of("XSHG"))
    assert (found.place, found.reason) == (None, "calendar_end")


def test_session_given_on_a_closed_day_is_no_session() -> None:
    (found,) = date_event(EventFirm("e", "X", Announcement(session=dt.date(2019, 10, 5))), sessions_of("XSHG"))
    assert (found.place, found.reason) == (None, "not_a_session")


def test_announcement_before_the_calendar_begins_is_not_moved_to_its_first_session() -> None:
    when = Announcement(instant=dt.datetime(2016, 1, 5, tzinfo=dt.UTC))
    (found,) = date_event(EventFirm("e", "X", when), sessions_of("XSHG"))
    assert (found.place, found.reason) == (None, "before_calendar")


def test_sessions_of_a_benchmark_have_no_closes_so_only_a_session_dates_an_event(panel) -> None:
    calendar = benchmark_sessions(panel().benchmark)
    (found,) = date_event(EventFirm("e", "X", Announcement(session=panel().benchmark.index[5].date())), calendar)
    assert found.place == 5
    with pytest.raises(ConfigError, match="date the event by session"):
        date_event(EventFirm("e", "X", Announcement(instant=dt.datetime(2018, 2, 1, tzinfo=dt.UTC))), calendar)
