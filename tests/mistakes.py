"""One-line mistakes in the formulas, each of which the tests named beside it must catch."""

from __future__ import annotations

from dataclasses import dataclass

FIRMS, RANKS, DRAWS, FITS = "test_across_firms.py", "test_ranks_and_signs.py", "test_resampling.py", "test_estimators.py"
PORTFOLIO = "test_calendar_time.py"


@dataclass(frozen=True)
class Mistake:
    """A line that is made wrong: in `file`, `right` becomes `wrong`; `caught_by` is the test module that must fail."""

    file: str
    right: str
    wrong: str
    caught_by: str


PARAMETRIC, PLACEBO, DELETION = "inference/parametric.py", "inference/placebo.py", "inference/deletion.py"
MISTAKES = (
    Mistake("abnormal.py", "x @ fit.unscaled_cov @ x)", "0.0)", FITS),
    Mistake("models/base.py", "weights=1 / rows.span", "weights=1 / rows.span**2", FITS),
    Mistake("models/linear.py", "rows.span.astype(float), rows.mkt", "np.sqrt(rows.span), rows.mkt", FITS),
    Mistake("inference/result.py", "values.std(ddof=1)", "values.std(ddof=0)", FIRMS),
    Mistake(PARAMETRIC, "(df / (df - 2)).sum()", "(df / (df - 1)).sum()", FIRMS),
    Mistake(PARAMETRIC, "plain.statistic / np.sqrt(1 + (n - 1) * correlation.mean)",
            "plain.statistic * np.sqrt((1 - correlation.mean) / (1 + (n - 1) * correlation.mean))", FIRMS),
    Mistake(PARAMETRIC, "np.sqrt((1 - r) / (1 + (n - 1) * r)), n - 1", "np.sqrt(1 / (1 + (n - 1) * r)), n - 1", FIRMS),
    Mistake(PARAMETRIC, "statistic, int(df.min()), reason", "statistic, int(df.max()), reason", FIRMS),
    Mistake(PARAMETRIC, "np.outer(sigma, sigma) * shared", "np.outer(sigma, sigma)", FIRMS),
    Mistake(PARAMETRIC, "means.std(ddof=1)", "means.std(ddof=0)", RANKS),
    Mistake(PARAMETRIC, "np.sqrt(sessions) * spread", "spread", RANKS),
    Mistake(PARAMETRIC, "-1 / max((~first).sum(), 1)", "-1 / max(first.sum(), 1)", DRAWS),
    Mistake("inference/joint.py", "freedom = df - count + 1", "freedom = df - count", RANKS),
    Mistake("inference/joint.py", "errors.T @ errors / df * factor", "errors.T @ errors / df", RANKS),
    Mistake("inference/joint.py", "special.chdtrc(n, found)", "special.chdtrc(n - 1, found)", DRAWS),
    Mistake("inference/ranks.py", "(len(both) + 1) / 2", "len(both) / 2", RANKS),
    Mistake("inference/ranks.py", "np.nansum(uniform, axis=1)[counted] / np.sqrt(firms[counted])",
            "np.nansum(uniform, axis=1)[counted] / firms[counted]", RANKS),
    Mistake("inference/ranks.py", "(deviations**2).mean()", "(deviations[:-event] ** 2).mean()", RANKS),
    Mistake("inference/ranks.py", "np.sqrt((count - 2) / left), count - 2", "np.sqrt((count - 1) / left), count - 2", RANKS),
    Mistake("inference/ranks.py", "(firms / n * means**2).mean()", "(means**2).mean()", RANKS),
    Mistake("inference/signs.py", "(car > 0).sum()", "(car >= 0).sum()", RANKS),
    Mistake("inference/signs.py", "np.convolve(chance, [1 - share, share])", "np.convolve(chance, [1 - p, p])", RANKS),
    Mistake("inference/signs.py", "(ranks**2).sum() / 4", "(ranks**2).sum() / 2", RANKS),
    Mistake("inference/signs.py", "FEWEST_FIRMS_NORMAL_SIGNS = 30", "FEWEST_FIRMS_NORMAL_SIGNS = 29", RANKS),
    Mistake("inference/skewness.py", "skewness / (6 * n)", "skewness / (6 * n**2)", RANKS),
    Mistake("inference/skewness.py", "mean**3 / 27", "mean**2 / 27", RANKS),
    Mistake("inference/multiple.py", "(len(p_values) - np.arange(len(p_values)))", "len(p_values)", FIRMS),
    Mistake("inference/multiple.py", "np.maximum.accumulate(steps)\n    return adjusted\n", "steps\n    return adjusted\n",
            DRAWS),
    Mistake(PLACEBO, "(1 + extreme.sum()) / (1 + len(draws))", "extreme.sum() / len(draws)", FIRMS),
    Mistake(DELETION, "q = np.linalg.solve(hole, e_w)", "q = e_w", FIRMS),
    Mistake(DELETION, "(fit.df_resid * fit.sigma**2 - e_w @ q) / df", "(fit.df_resid * fit.sigma**2 - e_w @ e_w) / df", FIRMS),
    Mistake("inference/bootstrap.py", "np.sqrt([firm.fit.nobs", "np.ones_like([firm.fit.nobs", DRAWS),
    Mistake("inference/bootstrap.py", "(session <= last)) / np.sqrt(rows.span)", "(session <= last)) / 1.0", DRAWS),
    Mistake("inference/bootstrap.py", "product = np.einsum(\"br,br->b\", rows[place], rows[other]) - fitted",
            "product = np.einsum(\"br,br->b\", rows[place], rows[other])", DRAWS),
    Mistake("inference/bootstrap.py", "products / firm.fit.df_resid * firm.cumulative.variance_factor",
            "products / firm.fit.df_resid", DRAWS),
    Mistake("inference/bootstrap.py", "observed, _share(draws >= observed), floor",
            "observed, _share(draws <= observed), floor", DRAWS),
    Mistake("inference/calendar_time.py", "[root, root * portfolio", "[root, portfolio", PORTFOLIO),
    Mistake("inference/calendar_time.py", "root = np.sqrt(portfolio", "root = np.sign(portfolio", PORTFOLIO),
    Mistake("inference/calendar_time.py", "(count - 2) * unscaled", "(count - 1) * unscaled", PORTFOLIO),
    Mistake("inference/calendar_time.py", "rows.take(rows.span == 1)", "rows.take(rows.span >= 1)", PORTFOLIO),
    Mistake("inference/calendar_time.py", "count < FEWEST_SESSIONS", "count <= FEWEST_SESSIONS", PORTFOLIO),
    Mistake("inference/correlation.py", "matrix[~overlap] = 0.0", "pass", FIRMS),
    Mistake(DELETION, "q = np.linalg.solve(hole, e_w[:, :, None])", "q = e_w[:, :, None]", FIRMS),
    Mistake(DELETION, "(pull @ q)[:, :, 0]", "0 * (pull @ q)[:, :, 0]", DRAWS),
    Mistake("inference/moved.py", "sigma[:, None, :]) * shared", "sigma[:, None, :])", FIRMS),
    Mistake("inference/moved.py", "np.where(deletions.deleted, np.nan, deletions.errors)", "deletions.errors", DRAWS),
)  # fmt: skip
IN_EVERY_RUN = (5, 16, 31)  # the others need `make validation`
