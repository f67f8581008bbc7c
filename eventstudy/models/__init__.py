"""Expected-return models: each turns estimation rows into a fit."""

from eventstudy.models.base import Fit, Model
from eventstudy.models.linear import ConstantMean, MarketAdjusted, MarketModel

MODELS: dict[str, Model] = {model.name: model for model in (ConstantMean(), MarketAdjusted(), MarketModel())}

__all__ = ["MODELS", "ConstantMean", "Fit", "MarketAdjusted", "MarketModel", "Model"]
