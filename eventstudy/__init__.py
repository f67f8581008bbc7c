"""Event studies that stay right when trading is suspended."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventstudy import inference
    from eventstudy.config import StudySpec
    from eventstudy.configfile import load_study
    from eventstudy.frames import event_study, fetch_prices
    from eventstudy.result import StudyResult
    from eventstudy.run import run_study
    from eventstudy.steps.dates import event_session, sessions
    from eventstudy.steps.effects import CumulativeAbnormalReturn, abnormal_returns, cumulative_abnormal_return
    from eventstudy.steps.firms import car_covariance, placebo_cars, run_tests
    from eventstudy.steps.fits import ModelFit
    from eventstudy.steps.models import (
        Capm,
        ConstantMean,
        Dimson,
        FactorModel,
        Garch,
        MarketAdjusted,
        MarketModel,
        ScholesWilliams,
    )
    from eventstudy.steps.plain import rows_inside
    from eventstudy.steps.rows import buy_and_hold_return, trade_rows, trading_status
    from eventstudy.windows import Windows

__version__ = "0.1.0"

__all__ = [
    "Capm", "ConstantMean", "CumulativeAbnormalReturn", "Dimson", "FactorModel", "Garch", "MarketAdjusted", "MarketModel",
    "ModelFit", "ScholesWilliams", "StudyResult", "StudySpec", "Windows", "abnormal_returns", "buy_and_hold_return",
    "car_covariance", "cumulative_abnormal_return", "event_session", "event_study", "fetch_prices", "inference", "load_study",
    "placebo_cars", "rows_inside", "run_study", "run_tests", "sessions", "trade_rows", "trading_status",
]  # fmt: skip

# Heavy libraries are imported only when a name is first used: `import eventstudy` stays fast.
_HOMES = {
    "Capm": "eventstudy.steps.models",
    "ConstantMean": "eventstudy.steps.models",
    "CumulativeAbnormalReturn": "eventstudy.steps.effects",
    "Dimson": "eventstudy.steps.models",
    "FactorModel": "eventstudy.steps.models",
    "Garch": "eventstudy.steps.models",
    "MarketAdjusted": "eventstudy.steps.models",
    "MarketModel": "eventstudy.steps.models",
    "ModelFit": "eventstudy.steps.fits",
    "ScholesWilliams": "eventstudy.steps.models",
    "StudyResult": "eventstudy.result",
    "StudySpec": "eventstudy.config",
    "Windows": "eventstudy.windows",
    "abnormal_returns": "eventstudy.steps.effects",
    "buy_and_hold_return": "eventstudy.steps.rows",
    "car_covariance": "eventstudy.steps.firms",
    "cumulative_abnormal_return": "eventstudy.steps.effects",
    "event_session": "eventstudy.steps.dates",
    "event_study": "eventstudy.frames",
    "fetch_prices": "eventstudy.frames",
    "load_study": "eventstudy.configfile",
    "placebo_cars": "eventstudy.steps.firms",
    "rows_inside": "eventstudy.steps.plain",
    "run_study": "eventstudy.run",
    "run_tests": "eventstudy.steps.firms",
    "sessions": "eventstudy.steps.dates",
    "trade_rows": "eventstudy.steps.rows",
    "trading_status": "eventstudy.steps.rows",
}


def __getattr__(name: str) -> Any:
    if name == "inference":
        return import_module("eventstudy.inference")
    if name not in _HOMES:
        raise AttributeError(f"module 'eventstudy' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), "inference", *_HOMES])
