"""How vendors spell the symbols of Chinese shares and indices, and Yahoo's spelling of the same.

The rules, for codes that carry no exchange of their own: six digits that begin with 6 or 9 are Shanghai's
(``.SS``), with 0, 2 or 3 Shenzhen's (``.SZ``); 92, and whatever begins with 4 or 8, is Beijing's (``.BJ``).
A bare code is taken for a share, never for an index: 000001 is Ping An Bank, not the Shanghai Composite.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

Spelling = Literal["yahoo", "wind", "baostock", "bare"]
SPELLINGS: tuple[str, ...] = get_args(Spelling)

SUFFIXES = {"SH": "SS", "SS": "SS", "XSHG": "SS", "SZ": "SZ", "XSHE": "SZ", "BJ": "BJ"}
PREFIXES = {"SH": "SS", "SZ": "SZ", "BJ": "BJ"}

WITH_SUFFIX = re.compile(r"([0-9]{6})\.(SH|SS|XSHG|SZ|XSHE|BJ)")
WITH_PREFIX = re.compile(r"(SH|SZ|BJ)\.?([0-9]{6})")
BARE = re.compile(r"[0-9]{6}")
SPREADSHEET = re.compile(r"""="?([^"]*)"?|'(.*)""")  # ="002415" and '002415 keep a spreadsheet from eating zeros


def market_symbol(text: str, *, padded: bool = False, index: bool = False) -> str:
    """Return the symbol in Yahoo's spelling; what follows no rule of the module comes back unchanged.

    Parameters
    ----------
    text : str
        Such as ``600000.SH``, ``sh.600000``, ``600000`` or ``AAPL``.
    padded : bool
        Whether a shorter number is a code that lost its leading zeros.
    index : bool
        Whether a bare code is one of an index: it is left bare, for nothing in it tells the exchange.

    Examples
    --------
    >>> [market_symbol(text) for text in ("600000.SH", "sz.002415", "900901", "300188", "AAPL")]
    ['600000.SS', '002415.SZ', '900901.SS', '300188.SZ', 'AAPL']
    >>> market_symbol("2415", padded=True)
    '002415.SZ'
    """
    text = text.strip()
    if quoted := SPREADSHEET.fullmatch(text):
        text = (quoted[1] or quoted[2] or "").strip()
    if padded and re.fullmatch(r"[0-9]{1,6}(\.0)?", text):
        text = text.removesuffix(".0").zfill(6)
    upper = text.upper()
    if found := WITH_SUFFIX.fullmatch(upper):
        return f"{found[1]}.{SUFFIXES[found[2]]}"
    if found := WITH_PREFIX.fullmatch(upper):
        return f"{found[2]}.{PREFIXES[found[1]]}"
    if BARE.fullmatch(text) and not index:
        if text.startswith(("4", "8", "92")):
            return f"{text}.BJ"
        if text[0] in "69":
            return f"{text}.SS"
        if text[0] in "023":
            return f"{text}.SZ"
    return text


def spelt(symbol: str, spelling: Spelling) -> str:
    """Return a symbol in Yahoo's spelling as another house spells it; others than Chinese ones unchanged.

    Examples
    --------
    >>> [spelt("600000.SS", spelling) for spelling in ("yahoo", "wind", "baostock", "bare")]
    ['600000.SS', '600000.SH', 'sh.600000', '600000']
    """
    found = WITH_SUFFIX.fullmatch(market_symbol(symbol))
    if not found or spelling == "yahoo":
        return symbol
    code, exchange = found[1], found[2].replace("SS", "SH")
    if spelling == "bare":
        return code
    return f"{code}.{exchange}" if spelling == "wind" else f"{exchange.lower()}.{code}"
