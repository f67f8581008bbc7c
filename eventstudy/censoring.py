"""Closes at the price limit: a regression that takes them as bounds, not as prices (rule D4)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from eventstudy.errors import DataError
from eventstudy.models import Fit

FEWEST_HITS = 3
CLOSE_ENOUGH = 1e-5  # of the gradient, an observation


def censored_fit(fit: Fit, limits: np.ndarray) -> Fit:
    """Estimate a model again by maximum likelihood, with limit closes as bounds (rule D4 d).

    A close at the limit says that the return wanted to be at least (up) or at most (down) what was observed,
    so the bound is the return itself.

    Parameters
    ----------
    fit : Fit
        Where the search starts.
    limits : array of str, one an estimation row
        ``up``, ``down`` or empty.

    Returns
    -------
    Fit
        `unscaled_cov` is the inverse information of theta over sigma squared, `sigma` that of the likelihood.

    Raises
    ------
    DataError
        If the model is not one of least squares, fewer than three rows are censored, or the search does not end.
    """
    from scipy import optimize

    if not fit.linear or fit.session_variance is not None:
        raise DataError("a censored regression takes the place of least squares only")
    up, down = limits == "up", limits == "down"
    if int((up | down).sum()) < FEWEST_HITS:
        raise DataError(f"fewer than {FEWEST_HITS} closes at the price limit in the estimation window")
    root = np.sqrt(fit.rows.span)
    y, z = fit.model.response(fit.rows) / root, fit.scaled_regressors
    units = np.sqrt((z**2).mean(axis=0)) / fit.sigma  # one search step means alike for every parameter
    with np.errstate(all="ignore"):  # far steps of the search may overflow; it turns back from them
        found = optimize.minimize(
            _loss, np.append(fit.params * units, 0.0), (y / fit.sigma, z / (units * fit.sigma), up, down), "BFGS", jac=True
        )
    theta, sigma = found.x[:-1] / units, fit.sigma * float(np.exp(found.x[-1]))
    if not np.isfinite(found.fun) or float(np.abs(found.jac).max()) > CLOSE_ENOUGH * fit.nobs:
        raise DataError("the censored regression does not converge")
    e = (y - z @ theta) / sigma
    weight = np.ones(len(e))  # minus the curvature of the log likelihood in e
    low, high = _hazard(e[down]), _hazard(-e[up])
    weight[down], weight[up] = low * (low + e[down]), high * (high - e[up])
    cov = np.linalg.inv((z * weight[:, None]).T @ z) if z.shape[1] else fit.unscaled_cov
    return replace(fit, params=theta, unscaled_cov=cov, sigma=sigma, errors=y - z @ theta, results=None)


def _loss(
    theta: np.ndarray, y: np.ndarray, z: np.ndarray, up: np.ndarray, down: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return minus the log likelihood and its gradient; the last parameter is the log of sigma."""
    free, sigma = ~(up | down), np.exp(theta[-1])
    e = (y - z @ theta[:-1]) / sigma
    value = np.sum(_log_density(e[free]) - theta[-1])
    value += np.sum(special.log_ndtr(e[down])) + np.sum(special.log_ndtr(-e[up]))
    slope = np.where(free, -e, 0.0)  # of the log likelihood in e
    slope[down], slope[up] = _hazard(e[down]), -_hazard(-e[up])
    return -float(value), np.append(z.T @ slope / sigma, slope @ e + free.sum())


def _log_density(x: np.ndarray) -> np.ndarray:
    """Log of the standard normal density."""
    return np.asarray(-(x**2) / 2 - np.log(2 * np.pi) / 2)


def _hazard(x: np.ndarray) -> np.ndarray:
    """Density over distribution function of the standard normal."""
    return np.asarray(np.exp(_log_density(x) - special.log_ndtr(x)))
