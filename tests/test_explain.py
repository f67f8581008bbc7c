"""Another tool's number is attributed to the convention that made it.

The other tools are small functions in plain numpy here, each with one wrong convention; nothing of them comes from
the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.conventions import CONVENTIONS
from eventstudy.errors import ConfigError
from eventstudy.explain import explain
from eventstudy.inputs import study_inputs
from eventstudy.setting import evaluate, own_setting
from eventstudy.study import compute
from eventstudy.theirs import Figure, TheirCar, read_theirs
from eventstudy.windows import parse_window

FIRMS = ("AAA", "BBB", "CCC", "DDD")
DAY0 = 130
# suspended in the event window, in the estimation window, in both, never
SUSPENDED = {"AAA": (130, 131), "BBB": (60, 61, 62, 131, 132), "CCC": (50, 51, 90), "DDD": ()}
MASK = (70, 74)


@dataclass(frozen=True)
class Tool:
    """A tool that takes the price of every session, NaN without a trade, and does everything by itself."""

    prices: np.ndarray
    market: np.ndarray
    day0: int = DAY0
    estimation: tuple[int, int] = (-100, -11)
    window: tuple[int, int] = (0, 3)
    kind: str = "log"
    model: str = "market"
    masked: tuple[int, int] | None = MASK

    def change(self, after: np.ndarray, before: np.ndarray) -> np.ndarray:
        return np.log(after / before) if self.kind == "log" else after / before - 1

    def spans(self) -> list[tuple[int, int, float, float]]:
        """(end, sessions, return, market) from trade to trade, as this project has it."""
        at = np.flatnonzero(np.isfinite(self.prices) & np.isfinite(self.market))
        return [
            (b, b - a, float(self.change(self.prices[b], self.prices[a])), float(self.change(self.market[b], self.market[a])))
            for a, b in pairwise(at)
        ]

    def daily(self, prices: np.ndarray) -> list[tuple[int, int, float, float]]:
        """The same a session, from prices without gaps."""
        return [
            (s, 1, float(self.change(prices[s], prices[s - 1])), float(self.change(self.market[s], self.market[s - 1])))
            for s in range(1, len(prices))
        ]

    def carried(self) -> np.ndarray:
        return pd.Series(self.prices).ffill().to_numpy()

    def result(self, rows: list[tuple[int, int, float, float]]) -> dict[str, float]:
        """Weighted least squares over the estimation window, then the sum over the window."""

        def inside(bounds: tuple[int, int]) -> np.ndarray:
            lo, hi = self.day0 + bounds[0], self.day0 + bounds[1]
            return np.array([row for row in rows if row[0] - row[1] + 1 >= lo and row[0] <= hi], dtype=float).reshape(-1, 4)

        est = inside(self.estimation)
        if self.masked is not None:
            lo, hi = self.masked
            est = est[(est[:, 0] < lo) | (est[:, 0] - est[:, 1] + 1 > hi)]
        win = inside(self.window)

        def design(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            y, columns = part[:, 2], {"market": [part[:, 1], part[:, 3]], "mean": [part[:, 1]], "market_adjusted": []}[self.model]
            return (y - part[:, 3] if self.model == "market_adjusted" else y), np.array(columns).reshape(len(columns), len(y)).T

        (y, x), (y_win, x_win) = design(est), design(win)
        root = np.sqrt(est[:, 1])
        a = np.linalg.inv((x / root[:, None]).T @ (x / root[:, None]))
        theta = a @ (x / root[:, None]).T @ (y / root)
        residual = (y - x @ theta) / root
        n, k = x.shape
        total = x_win.sum(axis=0)
        return {
            "car": float((y_win - x_win @ theta).sum()),
            "s": float(np.sqrt(residual @ residual / (n - k))),
            "n": n,
            "k": k,
            "sessions": float(win[:, 1].sum()),
            "sum_variance": float(sum(row[1] + x @ a @ x for row, x in zip(win, x_win, strict=True))),
            "full_variance": float(win[:, 1].sum() + total @ a @ total),
            "ars": dict(zip(win[:, 0].astype(int), y_win - x_win @ theta, strict=True)),  # type: ignore[dict-item]
        }


def naive(tool: Tool) -> list[tuple[int, int, float, float]]:
    return [(b, 1, r, float(tool.change(tool.market[b], tool.market[b - 1]))) for b, _, r, _ in tool.spans()]


def zero_filled(tool: Tool) -> list[tuple[int, int, float, float]]:
    found = tool.daily(tool.prices)  # NaN where either price is absent
    return [(s, n, 0.0 if np.isnan(r) else r, m) for s, n, r, m in found]


def uniform(tool: Tool) -> list[tuple[int, int, float, float]]:
    logs = pd.Series(np.log(tool.prices)).interpolate().to_numpy()
    return tool.daily(np.exp(logs))


def own_rows(tool: Tool) -> tuple[Tool, list[tuple[int, int, float, float]]]:
    kept = np.isfinite(tool.prices)
    mask = (int(kept[: MASK[0]].sum()), int(kept[: MASK[1] + 1].sum()) - 1)
    shorter = replace(tool, prices=tool.prices[kept], market=tool.market[kept], day0=int(kept[: tool.day0].sum()), masked=mask)
    return shorter, shorter.daily(shorter.prices)


CARS: dict[str, Callable[[Tool], float]] = {
    "event_early": lambda tool: replace(tool, day0=DAY0 - 1).result(tool.spans())["car"],
    "event_late": lambda tool: replace(tool, day0=DAY0 + 1).result(tool.spans())["car"],
    "first_left_out": lambda tool: replace(tool, window=(1, 3)).result(tool.spans())["car"],
    "last_left_out": lambda tool: replace(tool, window=(0, 2)).result(tool.spans())["car"],
    "one_more_after": lambda tool: replace(tool, window=(0, 4)).result(tool.spans())["car"],
    "one_more_before": lambda tool: replace(tool, window=(-1, 3)).result(tool.spans())["car"],
    "estimation_1_1": lambda tool: replace(tool, estimation=(-99, -10)).result(tool.spans())["car"],
    "estimation_-1_-1": lambda tool: replace(tool, estimation=(-101, -12)).result(tool.spans())["car"],
    "estimation_1_0": lambda tool: replace(tool, estimation=(-99, -11)).result(tool.spans())["car"],
    "estimation_-1_0": lambda tool: replace(tool, estimation=(-101, -11)).result(tool.spans())["car"],
    "estimation_0_1": lambda tool: replace(tool, estimation=(-100, -10)).result(tool.spans())["car"],
    "estimation_0_-1": lambda tool: replace(tool, estimation=(-100, -12)).result(tool.spans())["car"],
    "unmasked": lambda tool: replace(tool, masked=None).result(tool.spans())["car"],
    "naive": lambda tool: tool.result(naive(tool))["car"],
    "lumped": lambda tool: tool.result(tool.daily(tool.carried()))["car"],
    "zero_filled": lambda tool: tool.result(zero_filled(tool))["car"],
    "uniform": lambda tool: tool.result(uniform(tool))["car"],
    "drop": lambda tool: tool.result([row for row in tool.spans() if row[1] == 1])["car"],
    "own_rows": lambda tool: own_rows(tool)[0].result(own_rows(tool)[1])["car"],
    "simple": lambda tool: replace(tool, kind="simple").result(replace(tool, kind="simple").spans())["car"],
    "mean": lambda tool: replace(tool, model="mean").result(tool.spans())["car"],
    "market_adjusted": lambda tool: replace(tool, model="market_adjusted").result(tool.spans())["car"],
    "percent": lambda tool: 100 * tool.result(tool.spans())["car"],
}  # fmt: skip


@pytest.fixture(scope="module")
def tools(panel) -> dict[str, Tool]:
    made = panel(FIRMS)
    found = {}
    for name in FIRMS:
        prices = made.prices[name].to_numpy(copy=True)
        prices[list(SUSPENDED[name])] = np.nan
        found[name] = Tool(prices, made.benchmark.to_numpy())
    return found


@pytest.fixture
def study(study_on_disk, panel, tools) -> Callable[..., Path]:
    """Write the same firms as a study; the same firms every time."""

    def write(**changes: object) -> Path:
        made = panel(FIRMS)
        prices = replace(made, prices=made.prices.assign(**{name: tool.prices for name, tool in tools.items()})).long()
        mask = {"from": made.day(MASK[0]), "to": made.day(MASK[1]), "reason": "press"}
        changes.setdefault("mask", [mask])
        return study_on_disk(made, made.events(DAY0), prices, **changes)

    return write


@pytest.fixture
def theirs(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: list[dict[str, object]], name: str = "theirs.csv") -> Path:
        path = tmp_path / name
        pd.DataFrame(rows).to_csv(path, index=False)
        return path

    return write


def verdicts(config: Path, table: Path, window: tuple[int, int] = (0, 3)) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Firm to (verdict, names of the conventions)."""
    found = explain(compute(study_inputs(es.load_study(config))), read_theirs(table, window))
    return {item.theirs.label: (item.verdict, item.best.names if item.best else ()) for item in found}


def test_the_tool_without_a_wrong_convention_agrees(study, theirs, tools) -> None:
    rows = []
    for name, tool in tools.items():
        made = tool.result(tool.spans())
        se = made["s"] * np.sqrt(made["full_variance"])
        p = 2 * stats.t.sf(abs(made["car"] / se), made["n"] - 2)
        rows.append({"firm": name, "CAR": made["car"], "SE": se, "t-stat": made["car"] / se, "p-value": p})
    assert set(verdicts(study(), theirs(rows)).values()) == {("agrees", ())}


def test_our_number_is_that_of_the_study(study) -> None:
    config = study()
    result = es.run_study(config)
    for firm, (_, row) in zip(result.computation.firms, result.cars.iterrows(), strict=True):
        made = evaluate(own_setting(firm, result.computation.inputs.plan, (0, 3)))
        assert (made.car, made.se, made.t) == (row["car"], row["se_car"], row["t"])
        assert_allclose(made.p_value, row["p_value"], rtol=1e-12)


@pytest.mark.parametrize("name", CARS)
def test_each_convention_is_named(study, theirs, tools, name: str) -> None:
    rows = [{"firm": firm, "CAR": CARS[name](tool)} for firm, tool in tools.items()]
    ours = {firm: tool.result(tool.spans())["car"] for firm, tool in tools.items()}
    found = verdicts(study(), theirs(rows))
    moved = [row for row in rows if not np.isclose(row["CAR"], ours[row["firm"]], rtol=1e-9, atol=1e-12)]
    assert len(moved) >= 2
    # a window that begins or ends within a suspension has no number unless the tool sums what there is
    cut = {
        ("AAA", "event_late"): ("pair", ("partial", "event_late")),
        ("AAA", "first_left_out"): ("convention", ("drop",)),  # one and the same sum
        ("BBB", "event_early"): ("pair", ("partial", "event_early")),
        ("BBB", "last_left_out"): ("pair", ("partial", "last_left_out")),
    }
    for row in moved:
        firm = str(row["firm"])
        assert found[firm] == cut.get((firm, name), ("convention", (name,))), firm
    assert all(found[str(row["firm"])][0] == "agrees" for row in rows if row not in moved)


ERRORS: dict[str, Callable[[dict[str, float]], tuple[float, float]]] = {
    "daily_variances": lambda made: (made["s"] * np.sqrt(made["sum_variance"]), made["n"] - 2),
    "no_prediction_error": lambda made: (made["s"] * np.sqrt(made["sessions"]), made["n"] - 2),
    "sigma_over_n": lambda made: (made["s"] * np.sqrt(made["full_variance"] * (made["n"] - 2) / made["n"]), made["n"] - 2),
    "sigma_over_n_1": lambda m: (m["s"] * np.sqrt(m["full_variance"] * (m["n"] - 2) / (m["n"] - 1)), m["n"] - 2),
    "df_n_1": lambda made: (made["s"] * np.sqrt(made["full_variance"]), made["n"] - 1),
    "df_n": lambda made: (made["s"] * np.sqrt(made["full_variance"]), made["n"]),
    "df_event": lambda made: (made["s"] * np.sqrt(made["full_variance"]), 16 - 2),
    "normal": lambda made: (made["s"] * np.sqrt(made["full_variance"]), np.inf),
}


@pytest.mark.parametrize("name", ERRORS)
def test_each_convention_about_the_error_is_named(study, theirs, tools, name: str) -> None:
    rows = []
    for firm, tool in tools.items():
        made = tool.result(tool.spans())
        se, df = ERRORS[name](made)
        t = made["car"] / se
        p = 2 * (stats.norm.sf(abs(t)) if np.isinf(df) else stats.t.sf(abs(t), df))
        rows.append({"firm": firm, "CAR": made["car"], "SE": se, "t-stat": t, "p-value": p})
    assert set(verdicts(study(), theirs(rows)).values()) == {("convention", (name,))}


def test_no_convention_is_without_a_test() -> None:
    elsewhere = {
        "calendar_date", "first_traded", "benchmark_filled", "trade-to-trade", "log", "market", "intercept_per_row",
        "sum_of_aars", "partial",
    }  # fmt: skip
    assert {convention.name for convention in CONVENTIONS} == set(CARS) | set(ERRORS) | elsewhere


def test_the_first_session_traded_taken_as_the_event_day(study, theirs, tools) -> None:
    moved = {"AAA": 132, "BBB": 130}
    tool = {firm: replace(tools[firm], day0=day) for firm, day in moved.items()}
    rows = [{"firm": firm, "CAR": made.result(made.spans())["car"]} for firm, made in tool.items()]
    # AAA's first return there spans the suspension, so that it straddles the window: the tool takes one session of market
    rows[0]["CAR"] = replace(tools["AAA"], day0=132).result(naive(tools["AAA"]))["car"]
    assert verdicts(study(), theirs(rows)) == {"AAA": ("pair", ("first_traded", "naive")), "BBB": ("agrees", ())}


def test_an_intercept_counted_a_return_and_an_unscaled_variance(study, theirs, tools) -> None:
    rows = []
    for firm, tool in tools.items():
        spans = np.array(tool.spans())
        est = spans[(spans[:, 0] - spans[:, 1] + 1 >= DAY0 - 100) & (spans[:, 0] <= DAY0 - 11)]
        est = est[(est[:, 0] < MASK[0]) | (est[:, 0] - est[:, 1] + 1 > MASK[1])]
        win = spans[(spans[:, 0] - spans[:, 1] + 1 >= DAY0) & (spans[:, 0] <= DAY0 + 3)]
        x, root = np.column_stack([np.ones(len(est)), est[:, 3]]), np.sqrt(est[:, 1])
        a = np.linalg.inv((x / root[:, None]).T @ (x / root[:, None]))
        theta = a @ (x / root[:, None]).T @ (est[:, 2] / root)
        residual = (est[:, 2] - x @ theta) / root
        total = np.array([len(win), win[:, 3].sum()])
        car = win[:, 2].sum() - total @ theta
        se = np.sqrt(residual @ residual / (len(est) - 2) * (len(win) + total @ a @ total))
        rows.append({"firm": firm, "CAR": car, "SE": se})
    found = verdicts(study(), theirs(rows))
    assert {found[firm] for firm in ("AAA", "BBB", "CCC")} == {("convention", ("intercept_per_row",))}
    assert found["DDD"] == ("agrees", ())


def test_a_benchmark_carried_forward(study_on_disk, panel, theirs) -> None:
    made = panel(FIRMS)
    made.benchmark.iloc[[80, 132]] = np.nan
    config = study_on_disk(made, made.events(DAY0))
    filled = made.benchmark.ffill().to_numpy()
    rows = [
        {"firm": firm, "CAR": tool.result(tool.daily(tool.prices))["car"]}
        for firm in FIRMS
        for tool in [Tool(made.prices[firm].to_numpy(), filled, masked=None)]
    ]
    assert set(verdicts(config, theirs(rows)).values()) == {("convention", ("benchmark_filled",))}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ({"returns": "simple"}, "log"),
        ({"suspensions": "lumped"}, "trade-to-trade"),
        ({"name": "mean"}, "market"),
    ],
)
def test_the_way_back_from_another_design(study, theirs, tools, model: dict[str, str], name: str) -> None:
    rows = [{"firm": firm, "CAR": tool.result(tool.spans())["car"]} for firm, tool in tools.items()]
    found = verdicts(study(model=model), theirs(rows))
    moved = {firm: verdict for firm, verdict in found.items() if verdict[0] != "agrees"}
    assert set(moved.values()) == {("convention", (name,))}
    assert len(moved) >= 2


def test_two_conventions_at_once(study, theirs, tools) -> None:
    rows = []
    for firm, tool in tools.items():
        other = replace(tool, kind="simple", masked=None)
        rows.append({"firm": firm, "CAR": other.result(other.spans())["car"]})
    assert set(verdicts(study(), theirs(rows)).values()) == {("pair", ("unmasked", "simple"))}


def test_numbers_from_nowhere_stay_unexplained(study, theirs, cli) -> None:
    rng = np.random.default_rng(5)
    table = theirs([{"firm": firm, "CAR": value} for firm, value in zip(FIRMS, rng.normal(0, 0.05, 4), strict=True)])
    config = study()
    assert {verdict for verdict, _ in verdicts(config, table).values()} == {"unexplained"}
    done = cli("explain", config, "--theirs", table)
    assert done.exit_code == 0
    assert done.stdout.count("unexplained; closest: ") == 4
    assert "4 of 4 unexplained" in done.stdout


def test_a_match_that_chance_may_have_made_is_called_so(study, theirs, tools) -> None:
    config = study()
    exact = CARS["naive"](tools["BBB"])
    assert verdicts(config, theirs([{"firm": "BBB", "CAR": exact}]))["BBB"] == ("convention", ("naive",))
    assert verdicts(config, theirs([{"firm": "BBB", "CAR": f"{exact:.3f}"}]))["BBB"][0] == "perhaps"


def test_the_convention_of_most_firms_goes_before_a_closer_one_of_a_single_firm(study, theirs, tools) -> None:
    rows = [{"firm": firm, "CAR": f"{CARS['mean'](tool):.4f}"} for firm, tool in tools.items()]
    assert set(verdicts(study(), theirs(rows)).values()) == {("convention", ("mean",))}


def test_an_average_as_the_sum_of_daily_averages(study, theirs, tools) -> None:
    made = {firm: tool.result(tool.spans()) for firm, tool in tools.items()}
    by_session: dict[int, list[float]] = {}
    for firm, tool in tools.items():
        single = {row[0] for row in tool.spans() if row[1] == 1}
        for session, ar in made[firm]["ars"].items():  # type: ignore[attr-defined]
            if session in single:
                by_session.setdefault(session, []).append(ar)
    wrong = sum(np.mean(values) for values in by_session.values())
    right = np.mean([part["car"] for part in made.values()])
    lumped = np.mean([CARS["lumped"](tool) for tool in tools.values()])
    config = study()
    for value, expected in (
        (right, ("agrees", ())), (wrong, ("convention", ("sum_of_aars",))), (lumped, ("convention", ("lumped",))),
    ):  # fmt: skip
        assert verdicts(config, theirs([{"group": "all", "CAAR": value}])) == {"": expected}


def test_averages_of_groups_are_known_by_their_names(root: Path, entity, tmp_path: Path) -> None:
    path = tmp_path / "caar.csv"
    entity.caar.to_csv(path, index=False)
    found = verdicts(root / "configs" / "entity-list-2019.toml", path)
    assert found == dict.fromkeys(["", "four firms", "firms not listed", "unconfounded"], ("agrees", ()))


def test_the_known_case_counted_as_others_count_it(root: Path, theirs) -> None:
    """Entity List firms, suspended days as zero and the calendar date as the event day: straight from the recorded closes."""
    folder = root / "eventstudy" / "snapshot"
    index = pd.read_csv(folder / "000300.SS.csv", index_col="date")["close"]
    sessions = index.index.get_loc("2019-09-30"), index.index.get_loc("2019-10-08")
    rows: dict[str, list[dict[str, object]]] = {"lumped": [], "zero": [], "naive": [], "calendar": [], "both": []}
    for symbol, payout in (("002415.SZ", ("2019-05-24", 0.60)), ("002236.SZ", ("2019-04-19", 0.10))):
        share = pd.read_csv(folder / f"{symbol}.csv", index_col="date")
        close = share["close"].reindex(index.index)
        growth = close / close.shift(1)
        growth[payout[0]] = (close[payout[0]] + payout[1]) / close.shift(1)[payout[0]]
        level = growth.fillna(1).cumprod().to_numpy()  # suspended days carry the close already
        mask = tuple(index.index.get_loc(day) for day in ("2019-05-21", "2019-05-24"))
        carried = Tool(level, index.to_numpy(), estimation=(-250, -31), masked=mask)
        gapped = np.where(share["volume"].reindex(index.index).to_numpy() == 0, np.nan, level)
        first = np.flatnonzero(close.notna())[0]
        early, late = (replace(carried, day0=place) for place in sessions)
        inside = [row for row in carried.daily(level) if row[0] > first]
        with_gaps = replace(carried, prices=gapped)
        zeros, one_day, spans = (
            [row for row in made if row[0] > first] for made in (zero_filled(with_gaps), naive(with_gaps), with_gaps.spans())
        )
        for name, tool, made in (
            ("lumped", late, inside), ("zero", late, zeros), ("naive", late, one_day), ("calendar", early, spans),
            ("both", early, one_day),
        ):  # fmt: skip
            rows[name].append({"firm": symbol, "CAR": tool.result(made)["car"]})
    config = root / "configs" / "entity-list-2019.toml"
    expected = {
        "lumped": ("agrees", ()),  # in logs a suspension inside the window moves the days, not their sum
        "zero": ("convention", ("zero_filled",)),
        "naive": ("convention", ("naive",)),
        "calendar": ("convention", ("calendar_date",)),
        "both": ("pair", ("calendar_date", "naive")),
    }
    assert {name: set(verdicts(config, theirs(made)).values()) for name, made in rows.items()} == {
        name: {verdict} for name, verdict in expected.items()
    }


# What stands in the tables of other tools.


def cars_in(path: Path, window: tuple[int, int] = (0, 3), **options: str) -> list[tuple[str, float]]:
    return [(item.label, round(item.car.value, 9)) for item in read_theirs(path, window, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("firm,CAR\nAAA,-0.0121\n", [("AAA", -0.0121)]),
        ("firm;CAR\nAAA;-1.21%\n", [("AAA", -0.0121)]),
        ("security_id,car,t\nAAA,-0.0121***,2.1\nBBB,.,.\n", [("AAA", -0.0121)]),
        ("symbol,window_start,window_end,car\nAAA,0,1,0.5\nAAA,0,3,0.25\n", [("AAA", 0.25)]),
        ("firm_symbol,car_window,car\nAAA,\"[-1, 1]\",0.5\nAAA,\"[0, 3]\",0.25\n", [("AAA", 0.25)]),
        ("ticker,\"CAR[0,1]\",\"CAR[0,3]\"\nAAA,0.5,0.25\n", [("AAA", 0.25)]),
        ("event_id,firm_symbol,relative_index,abnormal_returns,car\n1,AAA,-1,0.1,0.1\n1,AAA,3,0.2,0.35\n", [("AAA", 0.25)]),
        ("firm,tau,car\nAAA,0,0.1\nAAA,3,0.35\n", [("AAA", 0.35)]),
        (
            "event_id,group,firm_symbol,term,estimate,std.error,statistic,p.value\n"
            "1,g,AAA,\"[-1,-1]\",0.1,0.02,5,0.01\n1,g,AAA,\"[-1,3]\",0.35,0.04,9,0.01\n",
            [("AAA", 0.25)],
        ),
        ("group,tau,caar\nall,0,0.1\nall,3,0.35\n", [("", 0.35)]),
    ],
)  # fmt: skip
def test_tables_of_many_shapes_are_read(tmp_path: Path, text: str, expected: list[tuple[str, float]]) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text(text, encoding="utf-8")
    assert cars_in(path) == expected


def test_a_table_of_one_event_needs_the_firm(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    head = ",AR,Variance AR,CAR,Variance CAR,T-stat,P-value\n"
    path.write_text(head + "0,0.01,0.0004,0.010 *,0.0004,0.5,0.6\n3,0.02,0.0004,0.030,0.0016,0.75,0.4\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no column of firms"):
        read_theirs(path, (0, 3))
    (found,) = read_theirs(path, (0, 3), only="AAA")
    assert (found.label, found.car.value) == ("AAA", 0.03)
    assert_allclose([figure.value for _, figure in found.further], [0.04, 0.75, 0.4])
    assert found.further[0][1].agrees(0.0401)  # the root of anything that rounds to 0.0016


@pytest.mark.parametrize(("number", "agrees"), [(0.01245, True), (0.0125, True), (0.01251, False), (0.01149, False)])
def test_a_number_agrees_to_its_last_digit(number: float, agrees: bool) -> None:
    assert Figure(0.012, 0.0005).agrees(number) is agrees


@pytest.mark.parametrize(
    ("text", "options", "code", "words"),
    [
        ("", [], 3, "the file is empty"),
        ("firm,CAR\nAAA,high\n", [], 3, "line 2: CAR is 'high', no number"),
        ("firm,CAR\nAAA,\n", [], 3, "no CAR in column 'CAR'"),
        ("firm,effect\nAAA,0.1\n", [], 2, "no column of CARs: name it by --car-column"),
        ("who,CAR\nAAA,0.1\n", [], 2, "no column of firms: name it by --firm-column"),
        ("firm,CAR\nAAA,0.1\n", ["--firm-column", "who"], 2, "no column 'who' for --firm-column"),
        ("firm,CAR\nAAA,0.1\n", ["--window", "three"], 2, "--window = 'three' is not a window"),
        ("firm,CAR\nAAA,0.1\n", ["--window", "3,0"], 2, "runs backwards"),
        ("symbol,window_start,window_end,car\nAAA,0,1,0.5\n", [], 2, "no CAR over [0, 3]"),
        ("firm,tau,car\nAAA,0,0.1\n", [], 2, "no CAR over [0, 3]"),
        ('firm_symbol,term,estimate\nAAA,"[-2,3]",0.1\nAAA,"[-2,0]",0.1\n', [], 2, "no CAR over [0, 3]"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(
    base, cli, tmp_path: Path, text: str, options: list[str], code: int, words: str
) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text(text, encoding="utf-8")
    done = cli("explain", base, "--theirs", path, *options)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_absent_table_is_refused(base, cli, tmp_path: Path) -> None:
    done = cli("explain", base, "--theirs", tmp_path / "none.csv")
    assert done.exit_code == 3
    assert "check the path" in done.stderr


def test_an_unknown_firm_and_an_excluded_one_are_told(study, theirs, cli, panel) -> None:
    table = theirs([{"firm": "ZZZ", "CAR": 0.1}, {"firm": "aaa", "CAR": 0.123456789}])
    done = cli("explain", study(), "--theirs", table)
    assert "no firm of the study" in done.stdout
    assert done.stdout.count("unexplained; closest") == 1


def test_a_firm_with_two_events_needs_an_event_id(study_on_disk, panel, theirs) -> None:
    made = panel()
    events = pd.concat([made.events(125, ["AAA"]), made.events(140, ["AAA"], prefix="f")])
    computation = compute(study_inputs(es.load_study(study_on_disk(made, events))))
    with pytest.raises(ConfigError, match="column event_id"):
        explain(computation, [TheirCar("AAA", (0, 3), Figure(0.1, 1e-9))])
    (found,) = explain(computation, [TheirCar("AAA", (0, 3), Figure(0.1, 1e-9), "f-AAA")])
    assert found.firm.key == ("f-AAA", "AAA")


def test_a_car_that_is_undefined_here_is_explained_there(study, theirs, tools, cli) -> None:
    """AAA is suspended over the whole of [0, 1]: a tool that carries prices forward gives a number."""
    tool = replace(tools["AAA"], window=(0, 1))
    table = theirs([{"firm": "AAA", "CAR": tool.result(tool.daily(tool.carried()))["car"]}])
    done = cli("explain", study(), "--theirs", table, "--window", "0,1")
    assert "ours is undefined: the share had not resumed" in done.stdout
    assert "suspended days counted as zero returns" in done.stdout


def test_a_window_that_is_partly_covered_is_summed_there(study, theirs, tools) -> None:
    tool = replace(tools["BBB"], window=(0, 1))
    table = theirs([{"firm": "BBB", "CAR": tool.result(tool.spans())["car"]}])
    assert verdicts(study(), table, (0, 1)) == {"BBB": ("convention", ("partial",))}


def test_everything_tried_is_written(study, theirs, cli, tools, tmp_path: Path) -> None:
    table = theirs([{"firm": "BBB", "CAR": CARS["lumped"](tools["BBB"])}])
    out = tmp_path / "tried.csv"
    assert cli("explain", study(), "--theirs", table, "--csv", out).exit_code == 0
    found = pd.read_csv(out)
    assert found["conventions"].iloc[0] == "ours"
    assert list(found.loc[found["reproduces"], "conventions"]) == ["lumped"]
    assert_allclose(found.set_index("conventions").loc["naive", "car"], CARS["naive"](tools["BBB"]), rtol=1e-9)


def test_the_worked_example_of_the_page(root: Path, cli, monkeypatch) -> None:
    monkeypatch.chdir(root)
    page = (root / "docs" / "explain-their-number.md").read_text(encoding="utf-8")
    commands = [line[2:].split()[1:] for line in page.splitlines() if line.startswith("$ eventstudy explain")]
    assert commands
    for command in commands:
        done = cli(*command)
        assert done.exit_code == 0
        assert done.stdout in page


def test_every_convention_is_on_the_page(root: Path) -> None:
    page = (root / "docs" / "explain-their-number.md").read_text(encoding="utf-8")
    assert [item.name for item in CONVENTIONS if f"`{item.name}`" not in page and item.about != "estimation"] == []


def test_windows_are_read_with_and_without_brackets() -> None:
    assert parse_window("[-1, 2]", "--window") == parse_window("-1,2", "--window") == (-1, 2)
