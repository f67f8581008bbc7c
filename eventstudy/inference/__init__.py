"""Every test alone, on arrays: numbers in, a number with its null out, or the reason why there is none.

CARs and standardised CARs are arrays with one entry a firm, residuals are tables of sessions by firms; lists, Series and
DataFrames do as well. What is undefined is left out by whoever calls: N counts. Names are those of the tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventstudy.inference.array_joint import equal_effects, hotelling, wald_joint
    from eventstudy.inference.array_means import (
        bmp,
        cross_sectional_t,
        crude_dependence,
        difference_t,
        kp_bmp,
        kp_patell,
        patell,
        portfolio_t,
        residual_correlation,
        skewness_hall,
        skewness_johnson,
    )
    from eventstudy.inference.array_ranks import (
        benjamini_hochberg,
        corrado,
        corrado_zivney,
        generalized_sign,
        grank,
        grank_unscaled,
        holm,
        placebo_p_value,
        romano_wolf,
        wilcoxon,
    )
    from eventstudy.inference.correlation import ResidualCorrelation
    from eventstudy.inference.result import TestResult

__all__ = [
    "ResidualCorrelation", "TestResult", "benjamini_hochberg", "bmp", "corrado", "corrado_zivney", "cross_sectional_t",
    "crude_dependence", "difference_t", "equal_effects", "generalized_sign", "grank", "grank_unscaled", "holm", "hotelling",
    "kp_bmp", "kp_patell", "patell", "placebo_p_value", "portfolio_t", "residual_correlation", "romano_wolf", "skewness_hall",
    "skewness_johnson", "wald_joint", "wilcoxon",
]  # fmt: skip

_HOMES = {
    "ResidualCorrelation": "eventstudy.inference.correlation",
    "TestResult": "eventstudy.inference.result",
    "benjamini_hochberg": "eventstudy.inference.array_ranks",
    "bmp": "eventstudy.inference.array_means",
    "corrado": "eventstudy.inference.array_ranks",
    "corrado_zivney": "eventstudy.inference.array_ranks",
    "cross_sectional_t": "eventstudy.inference.array_means",
    "crude_dependence": "eventstudy.inference.array_means",
    "difference_t": "eventstudy.inference.array_means",
    "equal_effects": "eventstudy.inference.array_joint",
    "generalized_sign": "eventstudy.inference.array_ranks",
    "grank": "eventstudy.inference.array_ranks",
    "grank_unscaled": "eventstudy.inference.array_ranks",
    "holm": "eventstudy.inference.array_ranks",
    "hotelling": "eventstudy.inference.array_joint",
    "kp_bmp": "eventstudy.inference.array_means",
    "kp_patell": "eventstudy.inference.array_means",
    "patell": "eventstudy.inference.array_means",
    "placebo_p_value": "eventstudy.inference.array_ranks",
    "portfolio_t": "eventstudy.inference.array_means",
    "residual_correlation": "eventstudy.inference.array_means",
    "romano_wolf": "eventstudy.inference.array_ranks",
    "skewness_hall": "eventstudy.inference.array_means",
    "skewness_johnson": "eventstudy.inference.array_means",
    "wald_joint": "eventstudy.inference.array_joint",
    "wilcoxon": "eventstudy.inference.array_ranks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'eventstudy.inference' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
