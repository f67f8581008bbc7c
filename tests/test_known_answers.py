"""Known answers: the case files, through the command line, every number at rtol 1e-9."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from eventstudy.inference.registry import DIFFERENCE, TEST_NAMES

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
SUSPENSIONS = {"t2t": "trade-to-trade"}
COEFFICIENTS = {"market": ("alpha", "beta"), "mean": ("alpha",), "market_adjusted": ()}
AR_COLUMNS = {"span": "n", "ar": "ar", "se_ar": "se", "t": "t", "p_value": "p"}
CAR_COLUMNS = {"car": "car", "se_car": "se", "t": "t", "p_value": "p"}
PLAIN_TESTS = {
    "cross_sectional_t": "cs_t", "patell": "patell", "kp_patell": "kp_patell", "bmp": "bmp", "kp_bmp": "kp_bmp",
    "crude_dependence": "cda", "corrado": "corrado", "corrado_zivney": "corrado_zivney", "grank": "grank",
    "grank_unscaled": "grank_norescale", "skewness_hall": "skew_hall", "skewness_johnson": "skew_johnson",
}  # fmt: skip


@dataclass
class Answer:
    """What the program wrote for one case, and what it ought to have written."""

    input: dict[str, Any]
    expected: dict[str, Any]
    symbols: list[str]
    folder: Path

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def by_symbol(self, name: str) -> dict[str, dict[str, str]]:
        return {row["symbol"]: row for row in self.table(name)}

    def firms(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((symbol, firm) for symbol, firm in zip(self.symbols, self.expected["firms"], strict=True) if firm)

    def all_tests(self) -> dict[str, dict[str, str]]:
        return {row["test"]: row for row in self.table("tests") if row["group"] == "all"}


def _weekdays(count: int) -> list[str]:
    first = dt.date(2018, 1, 1)  # a Monday
    return [(first + dt.timedelta(days=7 * (k // 5) + k % 5)).isoformat() for k in range(count)]


def _write(case: dict[str, Any], folder: Path) -> list[str]:
    given = case["input"]
    days = _weekdays(len(given["market"]))
    symbols = [f"S{k:03d}" for k in range(len(given["prices"]))]
    day0 = given["day0"] if isinstance(given["day0"], list) else [given["day0"]] * len(symbols)
    tables = {
        "benchmark": [("date", "close")] + [
            (d, "" if v is None else repr(v)) for d, v in zip(days, given["market"], strict=True)
        ],
        "prices": [("date", "symbol", "close")] + [
            (d, s, repr(v))
            for s, levels in zip(symbols, given["prices"], strict=True)
            for d, v in zip(days, levels, strict=True)
            if v is not None
        ],
        "events": [("event_id", "symbol", "session"), *(("e", s, days[k]) for s, k in zip(symbols, day0, strict=True))],
    }  # fmt: skip
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    config = {
        "study": {"name": "case", "events": "events.csv"},
        "market": {"calendar": "benchmark", "benchmark": "INDEX"},
        "data": {"source": "files", "files": {"prices": "prices.csv", "benchmark": "benchmark.csv"}},
        "windows": {
            "estimation": given["est"], "event": given["win"], "car": [given["win"]], "min_observations": given["min_obs"],
        },
        "model": {
            "name": given["model"], "returns": given["return_kind"],
            "suspensions": SUSPENSIONS.get(given["method"], given["method"]),
        },
        "mask": [
            {"from": dt.date.fromisoformat(days[q]), "to": dt.date.fromisoformat(days[q]), "reason": "other news"}
            for q in given.get("mask", [])
        ],
    }  # fmt: skip
    (folder / "case.toml").write_text(tomli_w.dumps(config), encoding="utf-8")
    return symbols


@pytest.fixture(scope="module", params=CASES, ids=lambda path: path.stem)
def answer(request: pytest.FixtureRequest, cli, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    case = json.loads(request.param.read_text(encoding="utf-8"))
    folder = tmp_path_factory.mktemp(request.param.stem)
    symbols = _write(case, folder)
    done = cli("run", folder / "case.toml", "--out", folder / "out")
    assert done.exit_code == 0, done.stderr
    return Answer(case["input"], case["expected"], symbols, folder / "out" / "case" / "latest")


def _differs(got: str | None, want: float | None) -> bool:
    if want is None or not got:
        return bool(got) or want is not None
    return not math.isclose(float(got), want, rel_tol=1e-9, abs_tol=1e-12)


def _wrong(rows: list[tuple[str, str | None, float | None]]) -> list[str]:
    assert rows
    return [f"{what}: {got!r} instead of {want!r}" for what, got, want in rows if _differs(got, want)]


def test_there_are_cases_for_every_treatment_and_model() -> None:
    inputs = [json.loads(path.read_text(encoding="utf-8"))["input"] for path in CASES]
    assert {given["method"] for given in inputs} == {"t2t", "lumped", "uniform", "drop"}
    assert {given["model"] for given in inputs} == set(COEFFICIENTS)


def test_models(answer: Answer) -> None:
    models, rows = answer.by_symbol("models"), []
    for symbol, firm in answer.firms():
        want = dict(zip(COEFFICIENTS[answer.input["model"]], firm["theta"], strict=True))
        want = {"alpha": None, "beta": None} | want
        want |= {"sigma": math.sqrt(firm["s2"]), "nobs": firm["L1"], "df_resid": firm["nu"], "n_sessions": firm["est_sessions"]}
        rows += [(f"{symbol} {name}", models[symbol][name], value) for name, value in want.items()]
    assert _wrong(rows) == []


def test_firms_without_expected_numbers_are_excluded_with_a_reason(answer: Answer) -> None:
    out = {symbol for symbol, firm in zip(answer.symbols, answer.expected["firms"], strict=True) if firm is None}
    assert set(answer.by_symbol("models")) == set(answer.symbols) - out
    assert {row["symbol"] for row in answer.table("exclusions") if row["reason"]} == out


def test_abnormal_returns(answer: Answer) -> None:
    found = {(row["symbol"], int(row["tau"])): row for row in answer.table("abnormal_returns") if row["ar"]}
    wanted = {(symbol, ar["tau"]): ar for symbol, firm in answer.firms() for ar in firm["ar"]}
    assert set(found) == set(wanted)
    rows = [
        (f"{key} {column}", found[key][column], ar[name]) for key, ar in wanted.items() for column, name in AR_COLUMNS.items()
    ]
    assert _wrong(rows) == []


def test_cars(answer: Answer) -> None:
    cars, rows = answer.by_symbol("cars"), []
    for symbol, firm in answer.firms():
        want = firm["car"] or dict.fromkeys(CAR_COLUMNS.values())
        rows += [(f"{symbol} {column}", cars[symbol][column], want[name]) for column, name in CAR_COLUMNS.items()]
    assert _wrong(rows) == []


def test_undefined_cars_have_a_reason_and_defined_ones_none(answer: Answer) -> None:
    cars = answer.by_symbol("cars")
    for symbol, firm in answer.firms():
        assert (cars[symbol]["status"], bool(cars[symbol]["reason"])) == (("ok", False) if firm["car"] else ("undefined", True))


@pytest.mark.parametrize(("column", "key"), [("p_holm", "holm_firm_p"), ("p_bh", "bh_firm_p")])
def test_adjusted_p_values(answer: Answer, column: str, key: str) -> None:
    wanted = (answer.expected.get("tests") or {}).get(key) or []
    cars = answer.by_symbol("cars")
    with_car = [symbol for symbol, firm in answer.firms() if firm["car"]]
    rows = [(symbol, cars[symbol][column], p) for symbol, p in zip(with_car, wanted, strict=True)]
    assert _wrong(rows or [("no family", "", None)]) == []


def test_aar(answer: Answer) -> None:
    found = {int(row["tau"]): row for row in answer.table("aar") if row["group"] == "all"}
    rows = []
    for tau, want in answer.expected["aar"].items():
        rows += [(f"n at {tau}", found[int(tau)]["n"], want["N"]), (f"aar at {tau}", found[int(tau)]["aar"], want.get("aar"))]
    assert _wrong(rows) == []


def test_caar(answer: Answer) -> None:
    (found,) = (row for row in answer.table("caar") if row["group"] == "all")
    want = answer.expected["caar"] or {"N": 0, "caar": None}
    assert _wrong([("n", found["n"], want["N"]), ("caar", found["caar"], want["caar"])]) == []


def _plain(name: str, want: dict[str, Any]) -> tuple[float | None, float | None] | None:
    """Expected statistic and p-value of a test in the file's own shape; None where the file says nothing of it."""
    key = PLAIN_TESTS.get(name) or {"portfolio_t": "caar_fullcov", "generalized_sign": "gen_sign"}.get(name, name)
    if key not in want:
        return None
    if key == "gen_sign":
        return want[key][0], want["gen_sign_exact_p"]
    if key == "wilcoxon":
        return want[key][0], want[key][2]
    if key in ("caar_fullcov", "hotelling"):
        found = want[key] or {}
        return found.get("t", found.get("F")), found.get("p")
    return tuple(want[key] or (None, None))


def test_statistics_and_p_values(answer: Answer) -> None:
    want, found = answer.expected.get("tests"), answer.all_tests()
    assert set(found) == set(TEST_NAMES) - set(DIFFERENCE)
    if want is None:
        assert not any(row["statistic"] for row in found.values())
        return
    rows = []
    for name in {*PLAIN_TESTS, "portfolio_t", "hotelling", "generalized_sign", "wilcoxon"}:
        wanted = _plain(name, want)
        if wanted is not None:
            rows += [(f"{name} {column}", found[name][column], wanted[k]) for k, column in enumerate(("statistic", "p_value"))]
            assert wanted[0] is not None or found[name]["reason"], name
    assert _wrong(rows) == []


@pytest.mark.parametrize(("name", "key"), [("placebo_caar", "p_caar"), ("placebo_scar", "p_scar")])
def test_placebo_p_values(answer: Answer, name: str, key: str) -> None:
    wanted, row = answer.expected.get("tests") or {}, answer.all_tests()[name]
    if isinstance(answer.input["day0"], list):  # dates differ: the files give no number, the row says what it assumes
        assert row["reason"] == "assumes_independence"
    else:
        assert _wrong([(name, row["p_value"], (wanted.get("placebo") or {}).get(key))]) == []


def test_number_of_placebo_blocks(answer: Answer) -> None:
    placebo = (answer.expected.get("tests") or {}).get("placebo") or {}
    blocks = {row["test"]: int(row["blocks"]) for row in answer.table("placebo") if row["group"] == "all"}
    assert blocks["placebo_caar"] == blocks["placebo_scar"]
    assert blocks["placebo_caar"] == placebo.get("B", blocks["placebo_caar"])
