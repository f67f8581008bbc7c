"""Table E3: one firm suspended on the event session, under every treatment of suspensions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from eventstudy.abnormal import abnormal_returns, cumulate
from eventstudy.models import MarketModel
from eventstudy.models.base import Fit, fit_model
from eventstudy.returns import TREATMENTS, Rows, trade_rows
from eventstudy.simulate import PanelDesign, draw_market, draw_returns, draw_trading, panel_from_returns
from eventstudy.trading import Listing
from validation.comparison import Cell, Cells, error_of_rate, misses
from validation.parallel import run_jobs

HERE = Path(__file__).parent
E3_DRAWS, CHUNK = 4_000, 1_000
EFFECTS = (0.0, -0.08)
LAST_DIGIT = {"beta_mean": 5e-4, "beta_sd": 5e-4, "sigma_mean": 5e-5, "car_mean": 5e-5, "car_sd": 5e-5}
WINDOW = (0, 3)
DESIGN = PanelDesign(firms=1, window=WINDOW, suspended=((0, 1),))
METHODS = ("drop", "naive", "lumped", "uniform", "trade-to-trade", "eventstudy2-like")
MEASURES = ("beta", "sigma", "car", "p_value")


def e3_table() -> pd.DataFrame:
    """Return the specification's table E3, one row a share, effect and method."""
    return pd.read_csv(HERE / "e3.csv", comment="#")


class InterceptPerRow(MarketModel):
    """The market model of eventstudy2: with weights 1/span its intercept accrues a row, not a session."""

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return ones and benchmark returns."""
        return np.column_stack([np.ones(len(rows)), rows.mkt])


def naive_rows(listing: Listing) -> Rows:
    """Book the return over a gap at the resumption, against one session of benchmark (rule A4, `naive`)."""
    rows = trade_rows(listing, "trade-to-trade")
    one_session = np.log(listing.benchmark[rows.end] / listing.benchmark[rows.end - 1])
    return Rows(rows.end, np.ones_like(rows.end), rows.end, rows.ret, one_session)


def _rows(listing: Listing, method: str) -> Rows:
    if method == "naive":
        return naive_rows(listing)
    return trade_rows(listing, method if method in TREATMENTS else "trade-to-trade")  # type: ignore[arg-type]


def sum_of_rows(fit: Fit, inside: Rows) -> tuple[float, float]:
    """Sum the abnormal returns there are and test the sum, a variance of sigma^2 a row."""
    x = fit.model.regressors(inside).sum(axis=0)
    car = float(abnormal_returns(fit, inside).ar.sum())
    se = fit.sigma * np.sqrt(len(inside) + x @ fit.unscaled_cov @ x)
    return car, float(2 * stats.t.sf(abs(car / se), fit.df_resid))


def measure(listing: Listing, design: PanelDesign, method: str) -> tuple[float, float, float, float]:
    """Return beta, sigma, CAR and p-value of one listing under one method."""
    rows = _rows(listing, method)
    sample = rows.inside(1, design.estimation)
    if method in ("trade-to-trade", "lumped", "uniform"):
        fit = MarketModel().fit(sample)
        found = cumulate(fit, listing, rows, design.day0, WINDOW)
        return fit.coefficient("beta"), fit.sigma, found.car, found.p_value
    fit = fit_model(InterceptPerRow() if method == "eventstudy2-like" else MarketModel(), sample)
    car, p_value = sum_of_rows(fit, rows.inside(design.day0 + WINDOW[0], design.day0 + WINDOW[1]))
    return fit.coefficient("beta"), fit.sigma, car, p_value


def e3_draws(share: float, effects: tuple[float, ...], methods: tuple[str, ...], count: int, seed: list[int]) -> np.ndarray:
    """Simulate; the draws of all effects and methods are the same.

    Returns
    -------
    array (effects, methods, draws, measures)
    """
    rng = np.random.default_rng(seed)
    design = replace(DESIGN, suspended_share=share)
    found = np.empty((len(effects), len(methods), count, len(MEASURES)))
    for draw in range(count):
        market = draw_market(design, rng)
        returns, traded = draw_returns(design, market, rng), draw_trading(design, rng)
        for row, effect in enumerate(effects):
            moved = returns.copy()
            moved[design.day0] += effect
            listing = panel_from_returns(design, market, moved, traded).listings[0]
            for column, method in enumerate(methods):
                found[row, column, draw] = measure(listing, design, method)
    return found


def summary(draws: np.ndarray) -> dict[str, float]:
    """Return the columns of table E3 from the draws of one cell (draws, measures)."""
    beta, sigma, car, p_value = draws.T
    return {
        "beta_mean": float(beta.mean()),
        "beta_sd": float(beta.std(ddof=1)),
        "sigma_mean": float(sigma.mean()),
        "car_mean": float(car.mean()),
        "car_sd": float(car.std(ddof=1)),
        "rejected": float(100 * (p_value <= 0.05).mean()),
    }


def mean_errors(draws: np.ndarray) -> dict[str, float]:
    """Return the Monte-Carlo standard error of each mean and standard deviation of a cell."""
    beta, sigma, car, _ = draws.T
    return {
        "beta_mean": _error(beta), "beta_sd": _error(_spread(beta)), "sigma_mean": _error(sigma),
        "car_mean": _error(car), "car_sd": _error(_spread(car)),
    }  # fmt: skip


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _spread(values: np.ndarray) -> np.ndarray:
    """Return what a standard deviation is, to first order, the mean of."""
    return (values - values.mean()) ** 2 / (2 * values.std(ddof=1))


def e3_compared(
    share: float, parts: int = E3_DRAWS // CHUNK, keep: Path | None = None
) -> tuple[int, dict[tuple[float, str], Cells]]:
    """Simulate one share of suspended sessions; return the draws and the cells of every effect and method.

    Parameters
    ----------
    parts : int
        Thousands of draws. If a number misses with as many draws as the specification has, four times as many
        others are drawn, which alone then count: what is left is the luck of the specification's own draws.
    """
    count, cells = parts * CHUNK, _compared(share, range(parts), keep)
    if count == E3_DRAWS and any(map(misses, cells.values())):
        count, cells = 4 * E3_DRAWS, _compared(share, range(parts, 5 * parts), keep)
    return count, cells


def _compared(share: float, parts: range, keep: Path | None) -> dict[tuple[float, str], Cells]:
    jobs = [(share, EFFECTS, METHODS, CHUNK, [3, round(100 * share), part]) for part in parts]
    draws = np.concatenate(run_jobs(e3_draws, jobs, keep), axis=2)
    table = e3_table().set_index(["share", "effect", "method"]).sort_index()
    return {
        (effect, method): _cells(draws[row, column], table.loc[(share, effect, method)])
        for row, effect in enumerate(EFFECTS)
        for column, method in enumerate(METHODS)
    }


def _cells(draws: np.ndarray, specified: pd.Series) -> Cells:
    """Allow 3 standard errors of the difference between two simulations, for a rate 3 of its own and 0.3 points."""
    count = len(draws)
    luck = np.sqrt(1 + count / E3_DRAWS)
    allowed = {name: float(3 * luck * error + LAST_DIGIT[name]) for name, error in mean_errors(draws).items()}
    allowed["rejected"] = 3 * error_of_rate(specified["rejected"], min(count, E3_DRAWS)) + 0.3
    return {name: Cell(found, specified[name], allowed[name]) for name, found in summary(draws).items()}
