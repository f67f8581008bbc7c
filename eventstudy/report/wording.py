"""The words of the page: codes, tests, models and treatments in sentences."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import cache

from eventstudy.report.language import N_, _, pgettext, spoken
from eventstudy.returns import Treatment
from eventstudy.told import Several, Told

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # characters that change the direction of what follows
RIGHT_TO_LEFT = {"R", "AL", "AN"}

REASONS = {
    "not_resumed": N_("the share had not resumed trading by the end of the window"),
    "straddles_start": N_("the share was suspended when the window began, so one return straddles its start"),
    "price_missing": N_("the source has no price at an edge of the window"),
    "not_listed": N_("the share was not listed yet"),
    "benchmark_missing": N_("the benchmark has no value at an edge of the window"),
    "factor_missing": N_("a factor or index of the model has no value on a session of the window"),
    "multi_session_row": N_("the model holds for returns over single sessions, and one in the window spans a suspension"),
    "gap_dropped": N_("the return over a suspension was dropped, as the treatment of suspensions asks"),
    "not_covered": N_("the rows do not cover every session of the window exactly once"),
    "limit_spell": N_("a run of closes at the price limit, taken as one return, reaches over an edge of the window"),
    "data_end": N_("the prices end inside the window"),
    "calendar_end": N_("the exchange’s published calendar ends before the window does"),
    "provisional": N_("the window is not over yet, as far as the prices reach"),
    "unknown_symbol": N_("the source does not know the symbol"),
    "not_a_session": N_("the date given is no session of the exchange"),
    "before_calendar": N_("the announcement lies before the first session on record"),
    "too_few_observations": N_("too few observations in the estimation window"),
    "mostly_suspended": N_("no trade in more than 40% of the estimation sessions"),
    "masked_event": N_("a mask touches the event window"),
    "no_fit": N_("the model cannot be estimated"),
    "unknown_benchmark": N_("the source does not know the benchmark"),
    "unknown_series": N_("a series that the model needs is not to be had"),
    "other_firms": N_("the mean is over other firms than the headline’s, so it is no other view of the same question"),
    "no_firms": N_("no firm has a CAR in this window"),
    "too_few_firms": N_("needs at least two firms"),
    "no_spread": N_("the firms’ values do not differ, so there is no spread to judge by"),
    "too_few_df": N_("too few degrees of freedom"),
    "too_few_common_sessions": N_("a pair of firms has fewer than 30 estimation sessions in common"),
    "negative_variance": N_("the residual correlations give no positive variance"),
    "not_least_squares": N_("the test’s formula is that of least squares, and the model was fitted otherwise"),
    "different_rows": N_("the firms’ estimation rows differ, so the exact test does not apply"),
    "no_refit": N_("the model’s variance runs from session to session, so it cannot be fitted without a block"),
    "no_leak": N_("the leak cannot be measured: too little before it, or no prices"),
    "no_event_after": N_("the study has no event of this firm after the leak"),
    "windows_overlap": N_("the window of the leak reaches into that of the announcement"),
    "not_identified": N_("an assumption, not an estimate"),
    "few_blocks": N_("fewer than 19 blocks: they cannot give a p-value of 5%"),
    "no_placebo_blocks": N_("no block of estimation sessions that all firms traded through is as long as the window"),
    "assumes_independence": N_("event dates differ, and independence across firms is assumed"),
    "collinear_terms": N_("the characteristics of these firms are combinations of each other, or the same for all"),
    "full_leverage": N_("one firm alone fixes a term, so its residual says nothing and there are no robust errors"),
    "one_cluster": N_("all firms share one event session, so there is a single cluster"),
    "small_sample": N_("few firms for so many terms: the errors and the interval are rough"),
    "adjusted_only": N_("only adjusted prices are recorded, and shares times an adjusted price is no market value"),
    "no_shares": N_("the number of shares is not given"),
    "no_close_before": N_("no close is recorded before the window"),
    "no_currency": N_("the currency of the prices is not known: give currency under [market]"),
    "no_market_value": N_("no firm with a CAR has a market value"),
    "mixed_currencies": N_("the firms’ prices are in different currencies"),
    "partial_total": N_("only over the firms whose shares are given"),
    "singular_covariance": N_("the covariance of the firms’ errors is singular"),
    "approximate": N_("approximate, and too ready to reject with few estimation rows"),
    "no_industries": N_("needs the industry of every firm, and at least two industries"),
    "dates_differ": N_("event dates differ, so there is no session on which the firms’ errors could be drawn together"),
    "too_many_firms": N_("more than 100 firms: a test that holds all of them, or fits each again in every draw, is left out"),
    "one_date": N_("all firms share one event session, and the portfolio t asks the same"),
    "too_few_sessions": N_("fewer than ten sessions on which the portfolio holds a firm"),
    "spans_left_out": N_(
        "returns over a suspension have no single session, so the firm is out of the portfolio on those sessions"
    ),
    "incomplete_rows": N_("a firm has no return that ends in one of the sessions; Corrado and Zivney’s version allows for that"),
    "few_firms_rescaled": N_("rejects too often with fewer than ten firms: see the version without rescaling"),
    "few_firms_rescaled_independent": N_(
        "rejects too often with fewer than ten firms, and with event dates that differ it assumes independence across firms: "
        "see the version without rescaling"
    ),
    "fewer_than_three_firms": N_("needs at least three firms"),
    "few_firms_skewness": N_("with fewer than 20 firms the skewness is not known well enough for this p-value to mean much"),
    "cannot_reject": N_("cannot reject at the 5% level: so few firms cannot give a p-value below the floor"),
    "by_construction": N_("a rank among the placebo dates, so that its share of rejections is right by construction"),
    "thousands_of_fits": N_("thousands of fits at every date would take too long"),
    "several_windows": N_(
        "it joins several windows, and a rank among placebo dates keeps its level by construction"
    ),
    "common_effect": N_("an effect common to all firms is what it takes for granted, so that there is nothing to find"),
    "correlation_as_estimated": N_(
        "of more than 100 firms the pairwise correlations are taken as estimated, without a search for the nearest valid "
        "correlation matrix"
    ),
    "censored": N_("a window ends on a close at the price limit: that CAR is a bound, and p is not exact"),
    "correlation_clipped": N_("the pairwise correlations were adjusted to the nearest valid correlation matrix"),
}

STATUSES = {
    "traded": N_("traded"),
    "suspended": N_("suspended"),
    "missing": N_("no price in the source"),
    "not_listed": N_("not listed"),
    "unknown": N_("traded, in doubt"),
}

MODELS = {
    "market": N_(
        "market model: return = α × sessions + β × benchmark return + error, by least squares with weights one over the "
        "number of sessions a return covers"
    ),
    "mean": N_("constant mean: return = α × sessions + error; the benchmark plays no part"),
    "market_adjusted": N_("market-adjusted: return less benchmark return, nothing estimated"),
    "capm": N_(
        "capital asset pricing model: return less risk-free return = α × sessions + β × (benchmark return less risk-free "
        "return) + error, by weighted least squares"
    ),
    "factors": N_(
        "multi-factor model: return (less the risk-free one where the table has it) = α × sessions + the factors, each over "
        "the same sessions as the return, times their coefficients + error, by weighted least squares"
    ),
    "peers": N_(
        "peer portfolio: return = α × sessions + coefficient × mean return of the peers + error, by weighted least squares"
    ),
    "two_index": N_(
        "two-index model: return = α × sessions + β × benchmark return + coefficient × return of the global index over its "
        "sessions that closed before the local exchange opened + error, by weighted least squares"
    ),
    "industry": N_(
        "industry model: return = α × sessions + β × benchmark return + coefficient × what the industry index earned beyond "
        "its own market model + error, by weighted least squares"
    ),
    "scholes_williams": N_(
        "market model with Scholes and Williams’ β, which adds the slopes on the benchmark’s returns of the session before "
        "and after, for shares that trade at other moments than the index; standard errors are those of the market model, an "
        "approximation, so placebo dates go before t"
    ),
    "dimson": N_(
        "market model with Dimson’s β, the sum of the slopes on leads and lags of the benchmark’s return, for shares that "
        "trade at other moments than the index; standard errors are those of the market model, an approximation, so placebo "
        "dates go before t"
    ),
    "garch": N_(
        "market model whose errors vary with the sizes of the last ones (GARCH(1,1), by quasi-maximum likelihood); where "
        "that is not identified, the market model by least squares"
    ),
}

MODEL_NAMES = {
    "market": N_("market model"), "mean": N_("constant mean"), "market_adjusted": N_("market-adjusted"),
    "capm": N_("capital asset pricing model"), "factors": N_("multi-factor model"), "peers": N_("peer portfolio"),
    "two_index": N_("two-index model"), "industry": N_("industry model"),
    "scholes_williams": N_("market model with Scholes and Williams’ β"), "dimson": N_("market model with Dimson’s β"),
    "garch": N_("market model with GARCH errors"),
}  # fmt: skip

ESTIMATORS = {
    "ols": "",
    "huber": N_("The parameters are Huber’s, which give large errors less weight; t and p are approximations then."),
    "lad": N_(
        "The parameters minimise the absolute errors, which gives large errors less weight; t and p are approximations "
        "then."
    ),
}

COVARIANCES = {
    "classical": "",
    "hac": N_(
        "The covariance of the parameters allows for autocorrelated and heteroskedastic errors (Newey and West); it changes "
        "only their part of a standard error, which is small, and not the noise of the event days."
    ),
}

VARIANTS = {
    "without_news": N_(
        "Part of the global index’s sessions came after the announcement, so that it may hold the event itself. Without what it "
        "earned on them, the abnormal returns are: {effects} over {window} (all windows: variants.csv)."
    ),
}

# what a model does not take out, where others do
LEFT_IN = {"mean": N_("the market’s own move over the window stays in the effect")}

TREATMENTS: dict[Treatment, str] = {
    "trade-to-trade": N_(
        "From trade to trade: a suspended session has no return of its own, never a zero. The first return after a "
        "suspension runs from the last trade to the first one after, over several sessions, and is set against the "
        "benchmark’s return over exactly those sessions; its variance grows with their number."
    ),
    "lumped": N_(
        "Lumped: the last price is carried through a suspension, so the whole return falls on the session of the resumption, "
        "against one session of the benchmark."
    ),
    "uniform": N_(
        "Uniform: the return over a suspension is spread evenly over its sessions, each against its own benchmark return."
    ),
    "drop": N_(
        "Dropped: only returns over a single session are used; the return over a suspension is lost, and a CAR that needs it "
        "is undefined."
    ),
}

EXPECTATION = {
    "market": N_("relative to what {benchmark} led one to expect"),
    "mean": N_("relative to the shares’ own average return before"),
    "market_adjusted": N_("relative to {benchmark}"),
    "capm": N_("relative to what {benchmark} led one to expect"),
    "factors": N_("relative to what the factors led one to expect"),
    "peers": N_("relative to what their peers led one to expect"),
    "two_index": N_("relative to what {benchmark} and the global index led one to expect"),
    "industry": N_("relative to what {benchmark} and the industry led one to expect"),
    "scholes_williams": N_("relative to what {benchmark} led one to expect"),
    "dimson": N_("relative to what {benchmark} led one to expect"),
    "garch": N_("relative to what {benchmark} led one to expect"),
}


# what the snapshot says of its series
# What sources say of a series, as they and the store keep it: plain text, known again by its fixed words.
NOTES = (
    N_("adjusted for dividends as of August 2020"),
    N_("the dividend of 2019-04-30 (0.06 CNY) is inferred from an adjusted series"),
    N_(
        "on 2019-05-15 the reference price fell from 83.15 to 63.72: recorded as 3 bonus shares for 10 and 0.32 CNY in cash, the "
        "division into the two inferred from it"
    ),
    N_("a price index, points rounded to 2 decimals"),
    N_("{count} identical duplicate rows were dropped"),
    N_("the rows were not in order of date and were sorted"),
    N_("read as {encoding} text: the file is not UTF-8"),
    N_("column {column} was not read: if it is {name}, rename or map it"),
    N_("the file's last line has no line end: if it was cut, its last figure is wrong:{figure}"),
    N_("trading status {words} is not known and was passed over"),
    N_("the closes are adjusted, not as traded: price-limit days cannot be told"),
    N_("corporate actions are taken from the reference prices of {days}"),
    N_(
        "of these, {days} follow absent sessions, which count as suspended: if rows are missing instead, the returns there are "
        "wrong"
    ),
    N_(
        "the reference price of {days} is not the close before, and sessions between are absent: returns there are from close to "
        "close, which is wrong if it was an ex-date"
    ),
    N_("a split of {ratio} falls after {before} on a session Yahoo has no row of: booked on {after}"),
    N_("a dividend of {cash} falls after {before} on a session Yahoo has no row of: booked on {after}"),
    N_("a dividend is dated on a session without a price: {days}"),
    N_("the answer has no adjusted closes: dividends are taken as dated"),
    N_("the newest stored series is damaged or lost, an older one up to {day} is used"),
    N_("the factors of {file} are read as per cent"),
    N_("the factors of {file} are read as decimals"),
    N_("the exchange's reference price is not the one that dividends and bonus shares on record lead to: {days}"),
    N_("served by {source}; {reasons}"),
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = []
    for message in NOTES:
        parts = [(re.escape(text), name) for text, name, _spec, _turn in string.Formatter().parse(message)]
        pattern = "".join(f"{text}(?P<{name}>.+?)" if name else text for text, name in parts)
        found.append((message, re.compile(pattern, re.DOTALL)))
    return tuple(found)


def _note_again(text: str) -> str:
    """Say a source's note in the language of the page; one without known words stays as it is."""
    for message, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return _(message, **found.groupdict())
    return text


def retold(text: object) -> object:
    """Return what a lower layer says in the language of the page; words from outside stay as they are."""
    if isinstance(text, Told):
        return _(text.message, **{name: retold(value) for name, value in text.values.items()})
    if isinstance(text, Several):
        return pgettext("in a list", ", ").join(str(retold(part)) for part in text.parts)
    return _note_again(text) if isinstance(text, str) and spoken() != "en" else text


def said(text: str) -> str:
    """Return a sentence of a lower layer, fit to stand on the page."""
    return own_words(str(retold(text)))


def status_words(status: str) -> str:
    """Return what a session was to a share, in words."""
    words = STATUSES[status]
    return _(words)


def why(code: str) -> str:
    """Return a reason code in words, or several that ``; `` joins; a code without words stands for itself."""
    parts = (_(REASONS[part]) if part in REASONS else part for part in code.split("; "))
    return pgettext("between clauses", "; ").join(parts)


def reason(code: str) -> str:
    """Return a reason code in words, with the code itself, as tables carry it."""
    return _("{reason} ({code})", reason=why(code), code=code) if code in REASONS else code


def own_words(text: str) -> str:
    """Return text that a config or file supplies, fit to stand inside a sentence.

    Letters that run from right to left are isolated, so that they cannot reorder the words around them.
    Markup is no matter here: the page escapes everything.
    """
    shown = visible(text).strip()
    if any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in shown):
        return f"{FIRST_STRONG_ISOLATE}{shown}{POP_ISOLATE}"
    return shown


def visible(text: str) -> str:
    """Return `text` with control and direction-changing characters made visible as the replacement character."""
    return "".join(letter if _harmless(letter) else "\ufffd" for letter in text)


def _harmless(letter: str) -> bool:
    if letter in "\n\t":
        return True
    return unicodedata.category(letter) not in ("Cc", "Cs") and letter not in TURNS


def capital(text: str) -> str:
    """Return `text` with a capital letter."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return `text` with a capital letter and a full stop."""
    stripped = text.strip()
    stop = "" if stripped.endswith((".", "!", "?", "。", "！", "？")) else pgettext("end of a sentence", ".")
    return capital(stripped) + stop if stripped else ""
