"""Bad configs and events through the command line: one sentence, the right exit code, nothing half-written."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest
import tomli_w

import eventstudy as es
from eventstudy.configfile import spec_from_dict
from eventstudy.errors import ConfigError, DataError

DAY0 = 130


@pytest.fixture(scope="module")
def made(panel):
    return panel()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def edit(config: Path, old: str, new: str) -> int:
    """Change the config's text and return the line it stands on."""
    text = config.read_text(encoding="utf-8")
    assert text.count(old) == 1
    config.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_base_study_runs(cli, base: Path, out: Path) -> None:
    done = cli("run", base, "--out", out)
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert Path(done.stdout.split()[-1]).is_file()


# --- config -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "suggestion"),
    [
        ("min_observations = 60", "min_observation = 60", "min_observations"),
        ('returns = "log"', 'returns = "log"\nsuspension = "lumped"', "suspensions"),
        ("alpha = 0.05", "alfa = 0.05", "alpha"),
        ("[market]", "[markt]", "market"),
    ],
)
def test_unknown_key(base: Path, refused, old: str, new: str, suggestion: str) -> None:
    line = edit(base, old, new) + new.count("\n")
    refused(base, 2, "unknown key", f"perhaps you meant '{suggestion}'", where=f"{base.name}:{line}")


@pytest.mark.parametrize(
    ("old", "key", "where"),
    [
        ("[study]", 'language = "zh"', "[report]"),
        ("[market]", "keep = 3", "[runs]"),
        ("[windows]", 'firms = ["AAA"]', "[[event]] or [[leak]]"),
        ("[inference]", 'benchmark = "INDEX"', "[[firm]] or [market] or [data.files]"),
    ],
)
def test_key_of_another_table(base: Path, refused, old: str, key: str, where: str) -> None:
    line = edit(base, old, f"{old}\n{key}") + 1
    told = f"unknown key '{key.split()[0]}' in {old}: it belongs in {where}"
    refused(base, 2, told, where=f"{base.name}:{line}")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("min_observations = 60", 'min_observations = "sixty"', "min_observations"),
        ("min_observations = 60", "min_observations = 60.5", "min_observations"),
        ("alpha = 0.05", 'alpha = "5%"', "alpha"),
        ("alpha = 0.05", "alpha = 5", "alpha"),
        ("alpha = 0.05", "alpha = nan", "alpha"),
        ('returns = "log"', 'returns = "logarithmic"', "returns"),
        ('name = "market"', 'name = "marked"', "name"),
        ('source = "files"', 'source = "bloomberg"', "source"),
        ('benchmark = "INDEX"', "benchmark = 300", "benchmark"),
        ('name = "panel"\n', 'name = "Panel 1"\n', "name"),
    ],
)
def test_wrong_type_or_value(base: Path, refused, old: str, new: str, key: str) -> None:
    line = edit(base, old, new)
    refused(base, 2, key, where=f"{base.name}:{line}")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("estimation", [-11, -100], "backwards"),
        ("event", [-20, 10], "before the estimation window"),
        ("car", [[0, 30]], "outside the event window"),
        ("car", [[0, 3], [0, 3]], "listed twice"),
        ("car", [], "car"),
        ("car", [[0, 3, 4]], "car"),
        ("min_observations", 10, "too few"),
    ],
)
def test_windows_that_cannot_be(made, study_on_disk, refused, name: str, value: object, told: str) -> None:
    refused(study_on_disk(made, made.events(DAY0), windows={name: value}), 2, told)


@pytest.mark.parametrize("tests", [["portfolio"], "everything", ["bmp", "portfolio_t", "grank2"]])
def test_unknown_test_name(made, study_on_disk, refused, tests: object) -> None:
    sentence = refused(study_on_disk(made, made.events(DAY0), inference={"tests": tests}), 2, "tests")
    assert "literal[" not in sentence
    assert "tuple[" not in sentence


def test_several_windows_need_a_headline(made, study_on_disk, refused) -> None:
    refused(study_on_disk(made, made.events(DAY0), windows={"car": [[0, 3], [0, 0]]}), 2, "headline_window")


def test_headline_that_is_no_window(made, study_on_disk, refused) -> None:
    refused(study_on_disk(made, made.events(DAY0), inference={"headline_window": [0, 5]}), 2, "headline_window [0, 5]")


@pytest.mark.parametrize(
    "section",
    [
        {"confounder": [{"symbol": "AAB", "session": dt.date(2018, 7, 3), "label": "other news"}]},
        {"mask": [{"from": dt.date(2018, 3, 1), "to": dt.date(2018, 3, 2), "reason": "x", "symbols": ["AAB"]}]},
    ],
    ids=["confounder", "mask"],
)
def test_other_news_of_a_symbol_that_no_event_has(made, study_on_disk, refused, section: dict[str, object]) -> None:
    refused(study_on_disk(made, made.events(DAY0), **section), 2, "AAB")


@pytest.mark.parametrize("table", ["mask", "suspended"])
def test_spell_that_ends_before_it_begins(made, study_on_disk, refused, table: str) -> None:
    spell = {"from": dt.date(2018, 3, 5), "to": dt.date(2018, 3, 2)}
    section = {"mask": [spell | {"reason": "x"}]} if table == "mask" else {"firm": [{"symbol": "AAA", "suspended": [spell]}]}
    refused(study_on_disk(made, made.events(DAY0), **section), 2, "2018-03-05", "2018-03-02")


def test_missing_config(tmp_path: Path, refused) -> None:
    refused(tmp_path / "absent.toml", 2, "cannot be read", "check the path")


def test_folder_for_a_config(tmp_path: Path, refused) -> None:
    refused(tmp_path, 2, "cannot be read")


def test_config_that_is_not_utf8(tmp_path: Path, refused) -> None:
    (tmp_path / "x.toml").write_bytes('title = "Köln"'.encode("latin-1"))
    refused(tmp_path / "x.toml", 2, "UTF-8")


@pytest.mark.parametrize("text", ["[study\nname = 1", "name = ", "a = 002230", "name = 'a'\nname = 'b'", "{}"])
def test_invalid_toml(tmp_path: Path, refused, text: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    assert re.search(r"line \d+|end of document", refused(tmp_path / "x.toml", 2, "not valid TOML"))


def test_missing_sections_are_told_each_in_a_line(cli, tmp_path: Path, out: Path) -> None:
    text = '[study]\nname = "x"\n[[event]]\nid = "e"\nsession = 2019-10-08\nfirms = ["A"]'
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    done = cli("run", tmp_path / "x.toml", "--out", out)
    assert done.exit_code == 2
    assert {line.split("'")[1] for line in done.stderr.splitlines()} == {"market", "windows", "model"}
    assert not out.exists()


def test_two_events_tables(made, study_on_disk, refused) -> None:
    event = {"id": "e", "session": "2018-07-02", "firms": ["AAA"]}
    refused(study_on_disk(made, made.events(DAY0), event=[event]), 2, "one of the two")


def test_no_events_at_all(base: Path, refused) -> None:
    edit(base, 'events = "events.csv"\n', "")
    refused(base, 2, "[[event]]")


@pytest.mark.parametrize("verb", [["run"], ["run", "x.toml", "--no-such"], ["fly", "x.toml"], ["init"]])
def test_bad_usage(cli, verb: list[str], tmp_path: Path) -> None:
    done = cli(*verb)
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert done.stderr != ""


# --- events -----------------------------------------------------------------------------------------------------------------


def event_rows(**columns: str) -> pd.DataFrame:
    return pd.DataFrame([{"event_id": "e", "symbol": "AAA"} | columns])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"announced_at": "2018-07-02T10:00:00"}, "neither an offset nor a timezone"),
        ({"announced_at": "2018-11-04T01:30:00", "timezone": "America/New_York"}, "occurs twice"),
        ({"announced_at": "2018-03-11T02:30:00", "timezone": "America/New_York"}, "does not exist"),
        ({"announced_at": "2018-07-02T10:00:00", "timezone": "EST"}, "not an IANA zone"),
        ({"announced_at": "2 July 2018", "timezone": "Asia/Shanghai"}, "not an ISO 8601"),
        ({"announced_on": "2018-07-02"}, "IANA zone"),
        ({"announced_on": "02.07.2018", "timezone": "Asia/Shanghai"}, "not a date"),
        ({"session": "2018-07-02", "announced_on": "2018-07-02", "timezone": "Asia/Shanghai"}, "exactly one of"),
        ({"timezone": "Asia/Shanghai"}, "exactly one of"),
        ({"session": "2018-07-02", "sesion": "1"}, "unknown column 'sesion'"),
        ({"session": "2018-07-02", "date_only": "maybe"}, "date_only"),
        ({"session": "2018-07-02", "symbol": ""}, "symbol"),
    ],
)
def test_bad_row_of_the_events_file(made, study_on_disk, refused, columns: dict[str, str], told: str) -> None:
    refused(study_on_disk(made, event_rows(**columns)), 2, told, where="events.csv")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('announced_at = "2018-07-02T10:00:00"', "neither an offset nor a timezone"),
        ('announced_at = "2018-11-04T01:30:00"\ntimezone = "America/New_York"', "occurs twice"),
        ('announced_at = "2018-07-02T10:00:00"\ntimezone = "EST"', "not an IANA zone"),
        ('announced_on = 2018-07-02', "needs timezone"),
    ],
)
def test_bad_date_in_the_config(base: Path, refused, lines: str, told: str) -> None:
    edit(base, 'events = "events.csv"\n', "")
    base.write_text(base.read_text(encoding="utf-8") + f'[[event]]\nid = "e"\nfirms = ["AAA"]\n{lines}\n', encoding="utf-8")
    refused(base, 2, told)


def test_date_that_maps_to_two_sessions(made, study_on_disk, refused) -> None:
    path = study_on_disk(made, event_rows(announced_on="2018-07-02", timezone="Asia/Shanghai"), market={"calendar": "XSHG"})
    refused(path, 2, "2018-07-02", "2018-07-03", 'date_only = "first"', where="events.csv")


def test_repeated_event_and_symbol(made, study_on_disk, refused) -> None:
    path = study_on_disk(made, pd.concat([made.events(DAY0), made.events(DAY0 - 1, ["BBB"])]))
    refused(path, 2, "'e-BBB'", "BBB", "twice", where="events.csv")


def test_instant_on_the_benchmarks_dates(made, study_on_disk, refused) -> None:
    refused(study_on_disk(made, event_rows(announced_at="2018-07-02T10:00:00+08:00")), 2, "date the event by session")


def test_unknown_calendar(made, study_on_disk, refused) -> None:
    refused(study_on_disk(made, made.events(DAY0), market={"calendar": "XSHGG"}), 2, "'XSHGG' is unknown", "'XSHG'")


@pytest.mark.parametrize("table", ["market", "firm"])
def test_unknown_calendar_where_another_goes_before_it(root: Path, tmp_path: Path, refused, table: str) -> None:
    """A suffix, or a firm's own key, goes before [market] calendar: the slip of the pen is told all the same."""
    text = (root / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8")
    wrong = {"market": ('calendar = "XSHG"', 'calendar = "XSHGG"'), "firm": ("[[firm]]\n", '[[firm]]\ncalendar = "XSHGG"\n')}
    config = tmp_path / "study.toml"
    config.write_text(text.replace(*wrong[table], 1), encoding="utf-8")
    line = next(number for number, written in enumerate(config.read_text().splitlines(), 1) if "XSHGG" in written)
    refused(config, 2, f"study.toml:{line}: ", "calendar 'XSHGG' is unknown: did you mean 'XSHG'?")


SENTENCES = [
    ("study", {"name": "My Study"}, "study.name = 'My Study' may hold small letters, digits and hyphens only: write name = "),
    ("study", {"title": 5}, 'study.title = 5 is no text: write one text in quotes, title = "..."'),
    ("market", {"price_limit": "10%"}, "market.price_limit = '10%' is no number: write it without quotes and per cent signs"),
    ("market", {"price_limit": 10}, "market.price_limit = 10 is too large: give less than 1 (10% is 0.10)"),
    ("market", {"benchmark": "CSI 300"}, """market.benchmark = 'CSI 300' may hold no blanks: write benchmark = "002415.SZ\""""),
    ("windows", {"estimation": [-100]}, "windows.estimation = [-100] has too few entries: write estimation = [-250, -31]"),
    ("windows", {"event": [-5, 0, 5]}, "windows.event = [-5, 0, 5] has too many entries: write event = [-10, 10]"),
    ("windows", {"car": 3}, "windows.car = 3 is no list: write car = [[0, 0], [0, 3]]"),
    ("windows", {"min_observations": 60.5}, "windows.min_observations = 60.5 is no whole number: write it without quotes"),
    ("windows", {"min_observations": True}, "windows.min_observations = true is no whole number"),
    ("model", {"returns": "Log"}, "model.returns = 'Log' is none of 'log', 'simple': perhaps you meant 'log'"),
    ("inference", {"alpha": 0}, "inference.alpha = 0 is too small: give more than 0"),
    ("data", {"settle": -1.0}, "data.settle = -1.0 is too small: give at least 0"),
    ("data", {"yahoo": 5}, "data.yahoo = 5 is no table: write [data.yahoo], with its keys below"),
]


@pytest.mark.parametrize(("table", "keys", "sentence"), SENTENCES)
def test_wrong_kind_of_value_is_told_plainly(base: Path, config_of, refused, table: str, keys: dict, sentence: str) -> None:
    base.write_text(tomli_w.dumps(config_of(**{table: keys})), encoding="utf-8")
    line = next(n for n, text in enumerate(base.read_text().splitlines(), 1) if text.startswith(f"{next(iter(keys))} = "))
    refused(base, 2, f"study.toml:{line}: {sentence}")


def test_wrong_tables_are_told_in_plain_words(config_of) -> None:
    event = {"id": "e", "session": "2018-07-02", "firms": ["AAA"]}
    one = config_of() | {"event": [event]}
    one["study"] = {"name": "one"}
    cases = [
        (one | {"event": event}, "event = a table is no list of tables: write each as [[event]], with its keys below"),
        (one | {"event": [5]}, "event = 5 is no table: write [[event]], with its keys below"),
        (one | {"market": 5}, "market = 5 is no table: write [market], with its keys below"),
        (one | {"event": [event | {"firms": [2415]}]}, 'event.firms = 2415 is no entry of firms: write firms = ["002415.SZ", '),
        (one | {"event": [event | {"firms": []}]}, 'event.firms = [] has too few entries: write firms = ["002415.SZ", '),
        (one | {"event": [event | {"id": ""}]}, "event.id = '' is empty: fill it in, or leave the key out"),
        (one | {"event": [event | {"session": "2018-13-02"}]}, "event.session = '2018-13-02' is no date: write it as 2019-10-07"),
    ]
    for content, sentence in cases:
        with pytest.raises(ConfigError) as caught:
            spec_from_dict(content)
        assert str(caught.value).startswith(f"config: {sentence}")
        assert "\n" not in str(caught.value)


def test_no_events_file(base: Path, refused) -> None:
    (base.parent / "events.csv").unlink()
    done = base.parent / "events.csv"
    assert refused(base, 3, "cannot be read", where=str(done))


def test_empty_events_file(made, study_on_disk, refused) -> None:
    refused(study_on_disk(made, made.events(DAY0).iloc[:0]), 2, "no events", where="events.csv")


def test_unknown_symbol_excludes_one_event(run_through, made, study_on_disk, out, read_csv) -> None:
    path = study_on_disk(made, pd.concat([made.events(DAY0), made.events(DAY0, ["ZZZ"])]))
    (line,) = run_through(path, out)
    for part in ("study.toml", "e-ZZZ", "ZZZ", "unknown_symbol", "prices.csv", "check the spelling"):
        assert part in line
    rows = read_csv(out / "panel" / "latest" / "tables" / "exclusions.csv")
    assert [(row["symbol"], row["reason"]) for row in rows] == [("ZZZ", "unknown_symbol")]


def test_strict_ends_with_4_and_still_writes_the_run(run_through, made, study_on_disk, out) -> None:
    path = study_on_disk(made, pd.concat([made.events(DAY0), made.events(DAY0, ["ZZZ"])]))
    lines = run_through(path, out, 4, "--strict")
    assert "--strict" in lines[-1]
    assert (out / "panel" / "latest" / "report.html").is_file()


def test_strict_without_exclusions_ends_with_0(run_through, base: Path, out) -> None:
    assert run_through(base, out, 0, "--strict") == []


def test_unknown_symbol_of_the_snapshot(run_through, root, tmp_path: Path, out) -> None:
    text = (root / "configs" / "zte-denial-2018.toml").read_text(encoding="utf-8").replace("000063.SZ", "000064.SZ")
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    (line,) = run_through(tmp_path / "x.toml", out, 3)
    assert "the snapshot has no 000064.SZ" in line
    assert not out.exists()


def test_prices_that_do_not_cover_the_windows(made, study_on_disk, refused) -> None:
    short = made.long().query("date >= @day", local_dict={"day": made.day(90)})
    path = study_on_disk(made, made.events(DAY0), short)
    refused(path, 3, "every event is excluded", "29 observations", "min_observations is 60")


def test_fewer_than_min_observations_excludes_one_event(run_through, made, study_on_disk, out) -> None:
    short = made.long().query("symbol != 'BBB' or date >= @day", local_dict={"day": made.day(90)})
    (line,) = run_through(study_on_disk(made, made.events(DAY0), short), out)
    assert "e-BBB, BBB is excluded, too_few_observations: 29 observations" in line


def test_event_the_exchange_has_not_reached(run_through, made, study_on_disk, out, read_csv) -> None:
    path = study_on_disk(made, event_rows(announced_at="2099-07-02T10:00:00+08:00"), market={"calendar": "XSHG"})
    assert run_through(path, out) == []
    (car,) = read_csv(out / "panel" / "latest" / "tables" / "cars.csv")
    assert (car["car"], car["status"], car["reason"]) == ("", "undefined", "calendar_end")


def test_firm_that_never_trades_again(run_through, made, study_on_disk, out, read_csv) -> None:
    gone = made.long().query("symbol != 'BBB' or date < @day", local_dict={"day": made.day(DAY0)})
    assert run_through(study_on_disk(made, made.events(DAY0), gone), out) == []
    cars = {row["symbol"]: row for row in read_csv(out / "panel" / "latest" / "tables" / "cars.csv")}
    assert (cars["BBB"]["car"], cars["BBB"]["reason"]) == ("", "not_resumed")
    assert cars["AAA"]["car"] != ""


def test_all_firms_excluded(made, study_on_disk, refused) -> None:
    refused(study_on_disk(made, made.events(20)), 3, "every event is excluded")


def test_excluded_events_alike_are_told_once(made) -> None:
    """Twenty share one reason, six have each their own."""
    shared = [f"s{number}" for number in range(20)]
    session = [made.prices.index[20]] * 20 + list(pd.date_range("2018-05-05", periods=6, freq="7D"))  # Saturdays
    events = pd.DataFrame({"event_id": [*shared, *"abcdef"], "symbol": "AAA", "session": session})
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    with pytest.raises(DataError) as told:
        es.event_study(events, made.prices, made.benchmark, windows=windows)
    text = str(told.value)
    assert text.count("min_observations is 60") == 1
    assert "(and so for s1 of AAA, s2 of AAA, s3 of AAA, s4 of AAA, s5 of AAA and 14 more)" in text
    assert text.count("is no session") == 4
    assert text.endswith("; and 2 reasons more")
