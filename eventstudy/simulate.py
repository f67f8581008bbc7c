"""Synthetic panels with a known effect, as the package's own types, drawn from an injected generator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.abnormal import cumulate
from eventstudy.calendar import SessionCalendar
from eventstudy.errors import ConfigError
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.models import MODELS
from eventstudy.returns import Rows, Treatment, trade_rows
from eventstudy.trading import SUSPENDED, TRADED, Listing
from eventstudy.windows import Window, length

Shocks = Literal["normal", "t4"]

MEAN_SPELL = 3  # sessions a random suspension lasts on average
SURE_TRADES = 2  # sessions with trade after every random suspension
FIRST_LEVEL = 100.0


@dataclass(frozen=True)
class PanelDesign:
    """What a synthetic panel is drawn from: r = alpha + beta m + sigma u a session, in logs, for every firm.

    The estimation window ends in the session before the event window begins; one session, the base of the
    first return, goes before it.

    Parameters
    ----------
    firms : int
        Number of firms, N.
    estimation : int
        Sessions in the estimation window, L1.
    window : (int, int)
        Event window, inclusive, in sessions relative to the event session.
    alpha, beta, sigma : float
        Intercept, slope and standard deviation of the shocks, a session.
    rho : float
        Correlation of two firms' shocks, from 0 up to but not including 1.
    shocks : {"normal", "t4"}
        ``t4``: Student's t with 4 degrees of freedom, scaled to unit variance.
    event_variance : float
        Variance of the shocks in the event window over that in the estimation window; at least 1 if `diluted`.
    diluted : bool
        Whether the added variance is independent across firms, so that it dilutes their correlation; otherwise
        the shocks are scaled and the correlation is kept.
    effects : tuple of (int, float)
        Session (tau) and log return that the event adds to every firm there.
    suspended : tuple of tuple of int
        For each firm the sessions (tau) without trade; firms past its end trade throughout.
    suspended_share : float
        Nominal share of the estimation sessions that random suspensions take, from 0 up to 0.7. A spell
        begins with probability share/3/(1-share) a session and lasts geometric(1/3) sessions. At least two
        sessions with trade follow every spell, and the last two of the estimation window have one, so that
        the realised share is smaller: .094 for .1, .266 for .3.
    price_limit : float, optional
        Largest change from one close to the next, as a fraction; what it holds back carries over.
    market_mean, market_sd : float
        Of the benchmark's log return a session.
    """

    firms: int = 3
    estimation: int = 120
    window: Window = (0, 0)
    alpha: float = 0.0005
    beta: float = 1.2
    sigma: float = 0.02
    rho: float = 0.0
    shocks: Shocks = "normal"
    event_variance: float = 1.0
    diluted: bool = False
    effects: tuple[tuple[int, float], ...] = ()
    suspended: tuple[tuple[int, ...], ...] = ()
    suspended_share: float = 0.0
    price_limit: float | None = None
    market_mean: float = 0.0003
    market_sd: float = 0.012

    def __post_init__(self) -> None:
        if not 0 <= self.rho < 1:
            raise ConfigError(f"rho = {self.rho} is no correlation that all pairs can have: use 0 up to but not including 1")
        if self.diluted and self.event_variance < 1:
            raise ConfigError(f"event_variance = {self.event_variance} cannot come from added shocks: use 1 or more")
        if not 0 <= self.suspended_share <= 0.7:
            raise ConfigError(f"suspended_share = {self.suspended_share} is out of reach: use 0 to 0.7")
        if len(self.suspended) > self.firms:
            raise ConfigError(f"suspended names {len(self.suspended)} firms, but there are {self.firms}")
        taus = [tau for tau, _ in self.effects] + [tau for spell in self.suspended for tau in spell]
        if any(not self.window[0] <= tau <= self.window[1] for tau in taus):
            raise ConfigError(f"effects and suspended must lie in the event window {list(self.window)}")

    @property
    def sessions(self) -> int:
        """Sessions of the panel: base, estimation window and event window."""
        return 1 + self.estimation + length(self.window)

    @property
    def day0(self) -> int:
        """Position of the event session."""
        return self.event_start - self.window[0]

    @property
    def event_start(self) -> int:
        """Position of the first session of the event window."""
        return 1 + self.estimation


@dataclass(frozen=True)
class Panel:
    """One draw of a design."""

    design: PanelDesign
    listings: tuple[Listing, ...]

    def estimation_rows(self, firm: int, suspensions: Treatment = "trade-to-trade") -> Rows:
        """Return the rows of a firm that lie in the estimation window."""
        return trade_rows(self.listings[firm], suspensions).inside(1, self.design.estimation)

    def cross_section(self, window: Window, model: str = "market", suspensions: Treatment = "trade-to-trade") -> CrossSection:
        """Fit `model` for every firm and return those that have a CAR in `window`."""
        found = []
        for place, listing in enumerate(self.listings):
            fit = MODELS[model].fit(self.estimation_rows(place, suspensions))
            cumulative = cumulate(fit, listing, trade_rows(listing, suspensions), self.design.day0, window)
            if not cumulative.reason:
                found.append(FirmCar(listing, fit, self.design.day0, cumulative))
        return CrossSection(window, tuple(found))


def draw_market(design: PanelDesign, rng: np.random.Generator) -> np.ndarray:
    """Draw the benchmark's log returns, one a session; the first, which has no session before it, is 0."""
    market = rng.normal(design.market_mean, design.market_sd, design.sessions)
    market[0] = 0.0
    return market


def draw_returns(design: PanelDesign, market: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the firms' log returns (sessions, N) as they would be if every session had a free price."""
    size = (design.sessions, design.firms)
    common = _unit_shocks(design.shocks, (design.sessions, 1), rng)
    shocks = np.sqrt(design.rho) * common + np.sqrt(1 - design.rho) * _unit_shocks(design.shocks, size, rng)
    event = slice(design.event_start, None)
    if design.diluted:
        added = _unit_shocks(design.shocks, shocks[event].shape, rng)
        shocks[event] += np.sqrt(design.event_variance - 1) * added
    else:
        shocks[event] *= np.sqrt(design.event_variance)
    returns: np.ndarray = design.alpha + design.beta * market[:, None] + design.sigma * shocks
    for tau, effect in design.effects:
        returns[design.day0 + tau] += effect
    returns[0] = 0.0
    return returns


def _unit_shocks(kind: Shocks, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(size) if kind == "normal" else rng.standard_t(4, size) / np.sqrt(2)


def draw_trading(design: PanelDesign, rng: np.random.Generator) -> np.ndarray:
    """Draw which sessions each firm trades in (sessions, N)."""
    traded = np.ones((design.sessions, design.firms), dtype=bool)
    if design.suspended_share:
        begins = design.suspended_share / MEAN_SPELL / (1 - design.suspended_share)
        last = design.event_start - SURE_TRADES
        for firm in range(design.firms):
            place = 1
            while (place := place + int(rng.geometric(begins)) - 1) < last:
                spell = int(rng.geometric(1 / MEAN_SPELL))
                traded[place : min(place + spell, last), firm] = False
                place += spell + SURE_TRADES
    for firm, taus in enumerate(design.suspended):
        for tau in taus:
            traded[design.day0 + tau, firm] = False
    return traded


def limited_closes(value: np.ndarray, traded: np.ndarray, limit: float) -> np.ndarray:
    """Return the log closes (sessions, N) of shares whose price may move by at most `limit` from the last close.

    Parameters
    ----------
    value : array (sessions, N)
        Log value; the close is at the limit until it has caught up with it.
    traded : array (sessions, N) of bool
        The last close stands where this is False.
    """
    closes = value.copy()
    down, up = np.log1p(-limit), np.log1p(limit)
    for place in range(1, len(value)):
        free = np.clip(value[place], closes[place - 1] + down, closes[place - 1] + up)
        closes[place] = np.where(traded[place], free, closes[place - 1])
    return closes


@lru_cache(maxsize=32)
def simulated_sessions(count: int) -> SessionCalendar:
    """Return a calendar of `count` weekdays."""
    return SessionCalendar("simulated", pd.bdate_range("2018-01-01", periods=count))


def panel_from_returns(design: PanelDesign, market: np.ndarray, returns: np.ndarray, traded: np.ndarray) -> Panel:
    """Put returns and trading on the session grid as listings.

    Parameters
    ----------
    market : array (sessions,)
    returns : array (sessions, N)
        Log returns as `draw_returns` makes them.
    traded : array (sessions, N) of bool
    """
    value = np.cumsum(returns, axis=0)
    closes = value if design.price_limit is None else limited_closes(value, traded, design.price_limit)
    held = np.sign(closes - value) * traded  # above its value: the close stopped at the lower limit
    status = np.where(traded, TRADED, SUSPENDED).astype(object)
    marks = np.select([held > 0, held < 0], ["down", "up"], "").astype(object)
    level = np.where(traded, FIRST_LEVEL * np.exp(closes), np.nan)
    benchmark = FIRST_LEVEL * np.exp(np.cumsum(market))
    calendar = simulated_sessions(design.sessions)
    return Panel(
        design,
        tuple(
            Listing(f"SIM{firm + 1}", calendar, status[:, firm], level[:, firm], benchmark, marks[:, firm], design.sessions - 1)
            for firm in range(design.firms)
        ),
    )


def draw_panel(design: PanelDesign, rng: np.random.Generator, market: np.ndarray | None = None) -> Panel:
    """Draw a panel.

    Parameters
    ----------
    market : array (sessions,), optional
        The benchmark's log returns; drawn if not given.
    """
    path = draw_market(design, rng) if market is None else market
    returns = draw_returns(design, path, rng)
    return panel_from_returns(design, path, returns, draw_trading(design, rng))
