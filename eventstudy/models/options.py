"""What a model is made from beside its name, and the one place where names become models."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.models.base import Fit, Model
from eventstudy.models.benchmarks import Capm, Factors, Industry, PeerPortfolio, TwoIndex
from eventstudy.models.garch import Garch
from eventstudy.models.linear import ConstantMean, MarketAdjusted, MarketModel
from eventstudy.models.robust import Covariance, Estimator, estimate
from eventstudy.models.thin import Dimson, ScholesWilliams, ThinTrading
from eventstudy.returns import Rows, Treatment

MODELS: dict[str, Model] = {model.name: model for model in (ConstantMean(), MarketAdjusted(), MarketModel())}
MODEL_NAMES = (*MODELS, "capm", "factors", "peers", "two_index", "industry", "scholes_williams", "dimson", "garch")

THIN = ("scholes_williams", "dimson")
MOST_SHIFTS = 5


@dataclass(frozen=True)
class ModelOptions:
    """What models need beyond the benchmark; each takes what concerns it.

    Parameters
    ----------
    factor_columns : tuple of str
        Columns of the factor table that `factors` regresses on.
    risk_free_column : str
        Column of the factor table with the risk-free return a session; empty for none.
    peers : tuple of str
        Symbols of the peer portfolio.
    global_benchmark, global_calendar : str
        Symbol of the second index, and the exchange_calendars name of its sessions.
    industry_benchmark : str
        Symbol of the industry index.
    lags, leads : int
        Sessions before and after that `dimson` regresses on; `scholes_williams` has one of each.
    fowler_rorke : bool
        Whether `dimson` weights its slopes.
    estimator, cov : str
        How it is estimated; see `models.robust`.
    """

    factor_columns: tuple[str, ...] = ()
    risk_free_column: str = ""
    peers: tuple[str, ...] = ()
    global_benchmark: str = ""
    global_calendar: str = ""
    industry_benchmark: str = ""
    lags: int = 1
    leads: int = 1
    fowler_rorke: bool = False
    estimator: Estimator = "ols"
    cov: Covariance = "classical"


def fit_rows(name: str, options: ModelOptions, rows: Rows) -> Fit:
    """Estimate the model `name` with these options on `rows`.

    Raises
    ------
    DataError
        If it cannot be estimated on them.
    """
    return estimate(build_model(name, options), rows, options.estimator, options.cov)


def build_model(name: str, options: ModelOptions) -> Model:
    """Return the model `name` for these options; what it needs must be there (see `missing_option`)."""
    if name in MODELS:
        return MODELS[name]
    if name in THIN:
        return thin_model(name, options)
    made: dict[str, Model] = {
        "garch": Garch(),
        "capm": Capm(options.risk_free_column),
        "factors": Factors(options.factor_columns, options.risk_free_column),
        "peers": PeerPortfolio(),
        "two_index": TwoIndex(),
        "industry": Industry(),
    }
    return made[name]


def thin_model(name: str, options: ModelOptions) -> ThinTrading:
    """Return the model for thin trading `name`."""
    if name == "scholes_williams":
        return ScholesWilliams()
    return Dimson(options.lags, options.leads, options.fowler_rorke)


def table_columns(name: str, options: ModelOptions) -> tuple[str, ...]:
    """Return the columns of the factor table that a model reads."""
    columns = {"capm": (options.risk_free_column,), "factors": (*options.factor_columns, options.risk_free_column)}
    return tuple(column for column in columns.get(name, ()) if column)


def refused_treatment(name: str, suspensions: Treatment) -> str:
    """Return the sentence about why a model cannot take a treatment of suspensions; empty where it can."""
    if name in (*THIN, "garch") and suspensions in ("lumped", "uniform"):
        return (
            f"model {name!r} is for returns over single sessions as they were traded, and suspensions = {suspensions!r} makes up "
            "others: use trade-to-trade or drop"
        )
    return ""


def missing_option(name: str, options: ModelOptions, factors: bool) -> str:
    """Return the sentence about what a model lacks or cannot take; empty where all is well.

    Parameters
    ----------
    factors : bool
        Whether there is a factor table.
    """
    needs: dict[str, list[tuple[bool, str]]] = {
        "capm": [
            (factors, 'factors = "factors.csv", a table by date with the risk-free return'),
            (bool(options.risk_free_column), 'risk_free_column = "rf", its column with the risk-free return'),
        ],
        "factors": [
            (factors, 'factors = "factors.csv", a table of factor returns by date'),
            (bool(options.factor_columns), 'factor_columns = ["mkt_rf", "smb", "hml"], its columns to regress on'),
        ],
        "peers": [(bool(options.peers), 'peers = ["000977.SZ", ...], the firms of the portfolio')],
        "two_index": [
            (bool(options.global_benchmark), 'global_benchmark = "^GSPC", the second index'),
            (bool(options.global_calendar), 'global_calendar = "XNYS", the exchange whose sessions it has'),
        ],
        "industry": [(bool(options.industry_benchmark), 'industry_benchmark = "...", the industry index')],
    }
    if (options.estimator, options.cov) != ("ols", "classical") and name == "market_adjusted":
        return "model 'market_adjusted' estimates nothing: leave out estimator and cov"
    if (options.estimator, options.cov) != ("ols", "classical") and name in (*THIN, "garch"):
        return f"model {name!r} has an estimator of its own: leave out estimator and cov"
    for key, count in (("lags", options.lags), ("leads", options.leads)):
        if not 0 <= count <= MOST_SHIFTS:
            return f"{key} = {count} is out of reach: give 0 to {MOST_SHIFTS}"
    if name == "dimson" and options.fowler_rorke and options.lags != options.leads:
        return f"fowler_rorke needs as many leads as lags: here lags = {options.lags} and leads = {options.leads}"
    if options.estimator != "ols" and options.cov == "hac":
        return f'cov = "hac" is for estimator = "ols", here it is {options.estimator!r}: leave one of the two out'
    lacking = next((what for there, what in needs.get(name, []) if not there), "")
    return f"model {name!r} needs {lacking}" if lacking else ""
