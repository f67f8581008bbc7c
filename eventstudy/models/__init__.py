"""Expected-return models: each turns estimation rows into a fit."""

from eventstudy.models.base import Fit, Model
from eventstudy.models.benchmarks import Capm, Factors, Industry, PeerPortfolio, TwoIndex
from eventstudy.models.linear import ConstantMean, MarketAdjusted, MarketModel
from eventstudy.models.options import MODEL_NAMES, MODELS, ModelOptions, build_model, fit_rows

__all__ = [
    "MODELS", "MODEL_NAMES", "Capm", "ConstantMean", "Factors", "Fit", "Industry", "MarketAdjusted", "MarketModel", "Model",
    "ModelOptions", "PeerPortfolio", "TwoIndex", "build_model", "fit_rows",
]  # fmt: skip
