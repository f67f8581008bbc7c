"""A design sealed before prices are read: what it holds, what breaks it, and what the page says of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.configfile import load_study, spec_from_dict
from eventstudy.errors import ConfigError
from eventstudy.events import Announcement, EventFirm
from eventstudy.report import render_report
from eventstudy.runs import write_run
from eventstudy.seal import read_seals, seals_of, standings, timing, window_start, write_seal

pytestmark = pytest.mark.usefixtures("undrawn")

BEFORE = dt.datetime(2019, 9, 1, 12, tzinfo=dt.UTC)
AFTER = dt.datetime(2019, 10, 9, 12, tzinfo=dt.UTC)


@pytest.fixture
def config(tmp_path: Path, root: Path) -> Path:
    """A copy of the Entity List study."""
    path = tmp_path / "list.toml"
    path.write_text((root / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def changes(path: Path) -> list[str]:
    spec = load_study(path)
    (found,) = standings(spec, seals_of(spec), ())
    return [str(change) for change in found.changes]


def test_the_seal_is_readable_and_has_the_hash_of_what_it_holds(config: Path) -> None:
    path, seal = write_seal(load_study(config), BEFORE)
    assert path == config.with_name("list.toml.seal")
    content = json.loads(path.read_text(encoding="utf-8"))
    canonical = json.dumps(content["design"], sort_keys=True, ensure_ascii=False).encode()
    assert content["sha256"] == seal.sha256 == hashlib.sha256(canonical).hexdigest()
    assert content["sealed_at"] == "2019-09-01T12:00:00+00:00"
    design = content["design"]
    assert design["events"]["entity-list-2019, 002415.SZ"] == {
        "announced": "2019-10-07 America/New_York", "role": "treated", "group": "", "date_only": "refuse",
    }  # fmt: skip
    assert design["windows"]["car"][2] == [0, 3]
    assert design["inference"]["headline"] == ["portfolio_t", "placebo_caar"]
    assert design["inference"]["headline_window"] == [0, 3]
    assert design["masks"] == {"2019-05-21 to 2019-05-24": ["all firms"]}
    assert set(design["confounders"]) == {"002230.SZ, 2019-10-09T20:00:00+08:00", "002415.SZ, 2019-10-19 Asia/Shanghai"}
    assert design["exclusions"] == {"min_observations": 100, "largest share of suspended sessions": 0.4}
    assert (design["model"]["name"], design["model"]["returns"], design["model"]["suspensions"]) == (
        "market", "log", "trade-to-trade",
    )  # fmt: skip
    assert design["market"]["benchmark"] == "000300.SS"


def test_sealing_reads_no_price(cli, base: Path) -> None:
    for name in ("prices.csv", "benchmark.csv"):
        (base.parent / name).unlink()
    done = cli("seal", base)
    assert done.exit_code == 0, done.stderr
    assert base.with_name("study.toml.seal").is_file()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "US Entity', 'title = "Another'),
        ('note = "The Entity', 'note = "An Entity'),
        ('label = "Added to', 'label = "Put on'),
        ('name = "Hikvision"', 'name = "Hik"'),
        ('name_zh = "海康威视"', 'name_zh = "海康"'),
        ('name = "entity-list-2019"', 'name = "other-name"'),
        ('benchmark = "000300.SS" ', 'benchmark_name = "CSI"\nbenchmark = "000300.SS" '),
        ('source = "snapshot"', 'source = ["snapshot", "yahoo"]'),
        ('label = "third-quarter report"', 'label = "report"'),
        ('reason = "press reports', 'reason = "rumours'),
        ("alpha = 0.05\n", "alpha = 0.05   # five per cent\n"),
        ('tests = "all"\nheadline_window = [0, 3]', 'headline_window = [0, 3]\ntests = "all"'),
    ],
)
def test_what_only_a_reader_sees_breaks_no_seal(config: Path, old: str, new: str) -> None:
    write_seal(load_study(config), BEFORE)
    edit(config, old, new)
    assert changes(config) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("headline_window = [0, 3]", "headline_window = [0, 5]", "inference, headline_window: [0, 3] -> [0, 5]"),
        ("alpha = 0.05", "alpha = 0.10", "inference, alpha: 0.05 -> 0.1"),
        ('tests = "all"', 'tests = ["portfolio_t", "placebo_caar"]',
         'inference, tests: all -> ["portfolio_t", "placebo_caar"]'),
        ('tests = "all"', 'tests = "all"\nheadline = ["kp_bmp", "placebo_caar"]',
         'inference, headline: ["portfolio_t", "placebo_caar"] -> ["kp_bmp", "placebo_caar"]'),
        ('returns = "log"', 'returns = "simple"', "model, returns: log -> simple"),
        ('suspensions = "trade-to-trade"', 'suspensions = "lumped"', "model, suspensions: trade-to-trade -> lumped"),
        ('name = "market"', 'name = "mean"', "model, name: market -> mean"),
        ("estimation = [-250, -31]", "estimation = [-200, -31]", "windows, estimation: [-250, -31] -> [-200, -31]"),
        ("to = 2019-05-24", "to = 2019-05-27", "masks, 2019-05-21 to 2019-05-24: removed, was [\"all firms\"]"),
        ("to = 2019-05-24", "to = 2019-05-27", "masks, 2019-05-21 to 2019-05-27: added, [\"all firms\"]"),
        ('announced_at = "2019-10-09T20:00:00+08:00"', 'announced_at = "2019-10-09T21:00:00+08:00"',
         "confounders, 002230.SZ, 2019-10-09T20:00:00+08:00: removed, was date_only refuse"),
        ('firms = ["002230.SZ", "002415.SZ", "002236.SZ"]', 'firms = ["002230.SZ", "002415.SZ"]',
         "events, entity-list-2019, 002236.SZ: removed, "
         "was announced 2019-10-07 America/New_York; role treated; date_only refuse"),
        ('role = "placebo"', 'role = "variant"', "events, not-listed-2019, 000977.SZ, role: placebo -> variant"),
        ('group = "four firms"', 'group = "4"', "events, entity-list-2019-meiya-pico, 300188.SZ, group: four firms -> 4"),
        ("announced_on = 2019-10-07", "announced_on = 2019-10-08",
         "events, entity-list-2019, 002415.SZ, announced: 2019-10-07 America/New_York -> 2019-10-08 America/New_York"),
        ('benchmark = "000300.SS" ', 'benchmark = "399001.SZ" ', "firms, 002415.SZ, benchmark: 000300.SS -> 399001.SZ"),
        ('name = "Iflytek"', 'name = "Iflytek"\nshares = 2e9', "firms, 002230.SZ, shares: nothing -> 2000000000.0"),
        ("min_observations = 100", "min_observations = 120", "exclusions, min_observations: 100 -> 120"),
    ],
)  # fmt: skip
def test_every_change_of_the_design_is_listed(config: Path, old: str, new: str, told: str) -> None:
    write_seal(load_study(config), BEFORE)
    edit(config, old, new)
    assert told in changes(config)


def test_events_of_a_file_are_part_of_the_design(base: Path) -> None:
    write_seal(load_study(base), BEFORE)
    edit(base.parent / "events.csv", "e-BBB,BBB", "e-BBB,CCC")
    found = changes(base)
    assert found[0].startswith("events, e-BBB, BBB: removed, was announced session 2018-")
    assert any(text.startswith("events, e-BBB, CCC: added, announced session 2018-") for text in found)


def test_a_key_that_a_later_version_brings_changes_nothing_until_it_is_used(config: Path) -> None:
    path, _ = write_seal(load_study(config), BEFORE)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["design"]["inference"]["seed"], content["design"]["market"]["price_limit"]
    canonical = json.dumps(content["design"], sort_keys=True, ensure_ascii=False).encode()
    content["sha256"] = hashlib.sha256(canonical).hexdigest()
    path.write_text(json.dumps(content), encoding="utf-8")
    edit(config, "seed = 20191007", "")
    assert changes(config) == ["market, price_limit: added, 0.1"]


def test_a_seal_is_not_overwritten_unasked(cli, config: Path) -> None:
    assert cli("seal", config).exit_code == 0
    path = config.with_name("list.toml.seal")
    first = path.read_bytes()
    done = cli("seal", config)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert "sealed on" in done.stderr
    assert "--force" in done.stderr
    assert path.read_bytes() == first
    edit(config, "alpha = 0.05", "alpha = 0.10")
    assert cli("seal", config, "--force").exit_code == 0
    old, new = read_seals(path)
    assert json.loads(first)["sha256"] == old.sha256 != new.sha256
    assert [path.name for path in config.parent.iterdir() if path.name.startswith(".")] == []


def test_the_verb_says_when_it_comes_after_the_event(cli, config: Path) -> None:
    done = cli("seal", config)
    assert done.stderr.strip().endswith("Sealed after the event: not a pre-registration.")
    assert re.search(r"list\.toml\.seal: design sealed on 20\d\d-.*\(SHA-256 [0-9a-f]{64}\)", done.stdout)
    later = dt.date.today() + dt.timedelta(days=400)
    edit(config, "announced_on = 2019-10-07", f"announced_on = {later}")
    assert "some of the events" in cli("seal", config, "--force").stderr


def _cut(text: str) -> str:
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_cut, "is not what `eventstudy seal` writes"),
        (lambda text: "", "is not what `eventstudy seal` writes"),
        (lambda text: "[]", "is not what `eventstudy seal` writes"),
        (lambda text: "{}", "is not what `eventstudy seal` writes"),
        (lambda text: text.replace("+00:00", ""), "is not what `eventstudy seal` writes"),
        (lambda text: text.replace('"alpha": 0.05', '"alpha": 0.1'), "does not have the hash it states"),
    ],
)
@pytest.mark.parametrize("verb", [("run",), ("check",), ("seal",), ("seal", "--force")])
def test_a_damaged_seal_stops_with_a_remedy(cli, base: Path, out: Path, damage, told: str, verb: tuple[str, ...]) -> None:
    path, _ = write_seal(load_study(base), BEFORE)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    before = path.read_bytes()
    more = ("--out", out) if verb == ("run",) else ()
    done = cli(verb[0], base, *verb[1:], *more)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert "restore the file, or remove it and seal the design anew" in done.stderr
    assert path.read_bytes() == before


def test_a_study_that_is_no_file_cannot_be_sealed(config_of) -> None:
    with pytest.raises(ConfigError, match="only the design of a config file can be sealed"):
        write_seal(spec_from_dict(config_of()), BEFORE)

MONDAY = Announcement(on=dt.date(2019, 10, 7), timezone="America/New_York")  # begins at 04:00 UTC


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2019-10-07T03:59:59+00:00", "before"),
        ("2019-10-07T04:00:00+00:00", "after"),
        ("2019-10-08T00:00:00+00:00", "after"),
    ],
)
def test_a_date_begins_where_it_was_announced(moment: str, wanted: str) -> None:
    assert timing(dt.datetime.fromisoformat(moment), (EventFirm("e", "A", MONDAY),)) == wanted


def test_of_several_events_some_may_be_past() -> None:
    later = EventFirm("f", "A", Announcement(session=dt.date(2020, 1, 2)))
    assert timing(AFTER, (EventFirm("e", "A", MONDAY), later)) == "some"
    assert timing(AFTER, (later,)) == "before"


def test_the_event_window_begins_with_the_day_of_its_first_session(entity) -> None:
    # ten sessions before 8 October 2019: 30, 27, 26, 25, 24, 23, 20, 19, 18 and 17 September; midnight in Shanghai
    start = window_start(entity.computation.firms, -10)
    assert start == dt.datetime(2019, 9, 16, 16, tzinfo=dt.UTC)
    events = entity.computation.inputs.events
    assert timing(start, events, start) == "within"
    assert timing(start - dt.timedelta(seconds=1), events, start) == "before"


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (dt.datetime(2018, 6, 1, tzinfo=dt.UTC), "Sealed before the first session of the event window."),
        (dt.datetime(2018, 6, 28, tzinfo=dt.UTC), "Sealed before the event, but after the first session of the event window."),
        (dt.datetime(2018, 8, 1, tzinfo=dt.UTC), "Sealed after the event: not a pre-registration."),
    ],
)
def test_the_page_says_when_the_design_was_sealed(base: Path, moment: dt.datetime, told: str) -> None:
    # session 130 of weekdays from 1 January 2018 is Monday 2 July; the event window begins on Monday 25 June
    _, seal = write_seal(load_study(base), moment)
    page = render_report(es.run_study(base))
    assert f"Design sealed on {moment.isoformat()} (SHA-256 {seal.sha256[:16]}…), unchanged since." in page
    assert told in page
    assert seal.sha256 in page
    assert "was not sealed" not in page


def test_changes_stand_on_the_page_in_the_manifest_and_in_check(cli, base: Path, out: Path) -> None:
    assert "was not sealed" in render_report(es.run_study(base))
    write_seal(load_study(base), dt.datetime(2018, 6, 1, tzinfo=dt.UTC))
    edit(base, "alpha = 0.05", "alpha = 0.10")
    result = es.run_study(base)
    folders = [write_run(result, out, now=BEFORE + dt.timedelta(hours=hour)).folder for hour in (0, 1)]
    pages = [(folder / "report.html").read_bytes() for folder in folders]
    assert pages[0] == pages[1]
    assert "1 change since:" in pages[0].decode()
    assert "<li>inference, alpha: 0.05 -&gt; 0.1</li>" in pages[0].decode()
    (told,) = json.loads((folders[0] / "manifest.json").read_text(encoding="utf-8"))["seals"]
    assert told["changes"] == ["inference, alpha: 0.05 -> 0.1"]
    assert (told["timing"], told["replaced"]) == ("before", False)
    lines = cli("check", base).stdout.splitlines()
    assert any(line.split() == ["warning", "design:", "inference,", "alpha:", "0.05", "->", "0.1"] for line in lines)


def test_a_replaced_seal_is_told_with_what_changed_since(base: Path) -> None:
    write_seal(load_study(base), dt.datetime(2018, 6, 1, tzinfo=dt.UTC))
    edit(base, "alpha = 0.05", "alpha = 0.10")
    write_seal(load_study(base), dt.datetime(2018, 8, 1, tzinfo=dt.UTC), force=True)
    result = es.run_study(base)
    now, earlier = result.standings
    assert (now.changes, now.timing, now.replaced) == ((), "after", False)
    assert [str(change) for change in earlier.changes] == ["inference, alpha: 0.05 -> 0.1"]
    assert earlier.replaced
    assert "An earlier seal, replaced later: design sealed on 2018-06-01" in render_report(result)


def test_a_new_seal_makes_a_new_run(cli, base: Path, out: Path) -> None:
    assert "unchanged" not in cli("run", base, "--out", out).stdout
    assert "unchanged" in cli("run", base, "--out", out).stdout
    write_seal(load_study(base), BEFORE)
    assert "unchanged" not in cli("run", base, "--out", out).stdout
