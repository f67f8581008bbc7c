"""Other estimators of the same models (rule B12): Huber's and least absolute deviations, and a HAC covariance.

What of the tests holds with them, each thought through:

- A firm's AR, CAR and their standard errors: s^2 (span + x'Vx) with V the estimator's own covariance over s^2. The first term is
  97 to 99% of it. For Huber and LAD the t(df) reference is an approximation.
- Placebo dates: right. Deleting a block has no closed form here, so the model is estimated again without it, block by block.
- The portfolio t, placebo_max (which is made of it), the joint tests and the bootstraps use the errors' linear form of least
  squares. With ``hac`` the parameters are least squares, the form exists, and the portfolio t is the classical one: HAC
  changes no more than each firm's own standard error. Huber's and the LAD parameters have no such form: these tests are
  undefined, with the reason ``not_least_squares``. The exact joint tests, which need one variance factor for all firms, and
  the bootstraps, which refit with the classical covariance, are so with ``hac``, too.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np

from eventstudy.errors import DataError
from eventstudy.models.base import Fit, Model, check_rows, finished_fit
from eventstudy.returns import Rows

Estimator = Literal["ols", "huber", "lad"]
Covariance = Literal["classical", "hac"]
ESTIMATORS: tuple[Estimator, ...] = ("ols", "huber", "lad")
COVARIANCES: tuple[Covariance, ...] = ("classical", "hac")

IN_PERCENT = 100  # QuantReg's tolerances are absolute, and too coarse for returns as decimals
MOST_ITERATIONS = 1000


def estimate(model: Model, rows: Rows, estimator: Estimator = "ols", cov: Covariance = "classical") -> Fit:
    """Fit `model` on `rows`.

    Parameters
    ----------
    estimator : {"ols", "huber", "lad"}
        Least squares, Huber's M-estimator (k = 1.345) or least absolute deviations, each on rows divided by the square root
        of their span.
    cov : {"classical", "hac"}
        Covariance of least-squares parameters; ``hac`` is Newey and West's with floor(4 (T/100)^(2/9)) lags, over
        successive rows.

    Raises
    ------
    DataError
        If the model cannot be estimated on these rows, or the iterations do not converge.
    """
    if estimator == "ols" and cov == "classical":
        return model.fit(rows)
    again = partial(estimate, model, estimator=estimator, cov=cov)
    chosen = model.prepared(rows)
    y, x = check_rows(chosen, rows)
    root = np.sqrt(rows.span)
    z, v = x / root[:, None], y / root
    if estimator == "ols":
        plain = model.fit(rows)
        return replace(plain, unscaled_cov=_hac(v, z) / plain.sigma**2, refit=again)
    params, covariance, results = (_huber if estimator == "huber" else _lad)(v, z)
    errors = v - z @ params
    scale = float(errors @ errors) / (len(v) - len(params))
    spread = float(np.median(np.abs(errors)) / 0.6744897501960817)  # the MAD of a normal variable over its sigma
    fit = finished_fit(chosen, rows, params, covariance / scale, scale, results)
    return replace(fit, linear=False, refit=again, details={"sigma_mad": spread})


def _hac(v: np.ndarray, z: np.ndarray) -> np.ndarray:
    import statsmodels.api as sm

    lags = int(4 * (len(v) / 100) ** (2 / 9))
    results = sm.OLS(v, z).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
    return np.asarray(results.cov_params())


def _huber(v: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
    import statsmodels.api as sm

    results = sm.RLM(v, z, M=sm.robust.norms.HuberT()).fit(maxiter=MOST_ITERATIONS)
    if len(results.fit_history["params"]) > MOST_ITERATIONS:
        raise DataError("Huber's estimator does not converge on these rows: use another estimator")
    return np.asarray(results.params), np.asarray(results.bcov_scaled), results


def _lad(v: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, IterationLimitWarning

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        results = sm.QuantReg(IN_PERCENT * v, z).fit(q=0.5)
    params, covariance = np.asarray(results.params), np.asarray(results.cov_params())
    if any(issubclass(item.category, (ConvergenceWarning, IterationLimitWarning)) for item in told):
        params = IN_PERCENT * _least_absolute(v, z)
    return params / IN_PERCENT, covariance / IN_PERCENT**2, results


def _least_absolute(v: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Solve for the least sum of absolute errors as a linear programme, where reweighting goes in circles."""
    from scipy import optimize

    (n, size), ones = z.shape, np.eye(len(v))
    bounds = [(None, None)] * size + [(0, None)] * (2 * n)
    found = optimize.linprog(np.r_[np.zeros(size), np.ones(2 * n)], A_eq=np.hstack([z, ones, -ones]), b_eq=v, bounds=bounds)
    if not found.success:
        raise DataError("least absolute deviations have no solution on these rows: use another estimator")
    return np.asarray(found.x[:size])
