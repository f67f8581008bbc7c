"""Writes `docs/validation.md` from simulations (`make validation-page`); options make fewer draws."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from mistakes import IN_EVERY_RUN, MISTAKES

from validation import actual_design, analytic, scenarios, suspensions
from validation.actual_design import e3b_compared
from validation.batches import COLUMNS
from validation.comparison import Cell, Cells
from validation.scenarios import e2_block, e2_compared
from validation.suspensions import e3_compared

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "validation.md"
KEPT = ROOT / "build" / "validation"
BLOCKS = ((3, 1), (3, 4), (10, 1), (30, 1))
SHARES = (0.0, 0.1, 0.3)
MINUS = "−"

Section = dict[str, Any]


def number(value: float, digits: int, sign: str = "") -> str:
    """Return a number as text, with a true minus; what rounds to zero has no sign."""
    text = f"{value:{sign}.{digits}f}"
    return f"{0:.{digits}f}" if float(text) == 0 else text.replace("-", MINUS)


def shown(cell: Cell, digits: int) -> str:
    """Return a cell of the page: found (specified; difference of tolerance)."""
    gap = number(cell.found - cell.specified, digits, "+")
    text = f"{number(cell.found, digits)} ({number(cell.specified, digits)}; {gap} of ±{number(cell.allowed, digits)})"
    return f"**{text}**" if cell.outside else text


def percent(value: float, digits: int = 0) -> str:
    """Return a share in per cent."""
    return f"{number(100 * value, digits)}%"


class Tally:
    """Counts cells by table and remembers what is beyond its tolerance."""

    def __init__(self) -> None:
        self.summary: list[dict[str, object]] = []
        self.misses: list[str] = []

    def add(self, title: str, draws: Iterable[int], named: dict[str, Cells]) -> None:
        """Count the cells of one table; `named` has what a row is called."""
        wrong = [f"{title}, {row}: {name}" for row, cells in named.items() for name, cell in cells.items() if cell.outside]
        low, high = min(draws := list(draws)), max(draws)
        self.misses += wrong
        self.summary.append(
            {
                "title": title,
                "compared": sum(map(len, named.values())),
                "draws": f"{low:,}" if low == high else f"{low:,} to {high:,}",
                "outside": len(wrong),
            }
        )


def e2_section(paths: int, keep: Path, tally: Tally) -> list[Section]:
    """Simulate table E2; a block has one line a test and one column a scenario."""
    blocks = []
    for firms, length in BLOCKS:
        rows = e2_block(firms, length)
        compared = e2_compared(rows, paths, keep)
        names = [row["scenario"] + (f", effect {percent(row['effect'])}" if row["effect"] else "") for row in rows]
        tally.add(
            f"Size and power, N = {firms}, {length} session{'s' * (length > 1)}",
            [count for count, _ in compared],
            {name: cells for name, (_, cells) in zip(names, compared, strict=True)},
        )
        lines = [(name, [shown(cells[name], 1) for _, cells in compared]) for name in COLUMNS]
        draws = ("draws", [f"{count:,}" for count, _ in compared])
        headings = [name if "effect" in name else f"{name}, size" for name in names]
        blocks.append({"firms": firms, "length": length, "headings": headings, "lines": [draws, *lines]})
    return blocks


E3_DIGITS = {"beta_mean": 3, "beta_sd": 3, "sigma_mean": 4, "car_mean": 4, "car_sd": 4, "rejected": 1}


def e3_section(parts: int, keep: Path, tally: Tally) -> list[Section]:
    """Simulate table E3."""
    blocks = []
    for share in SHARES:
        count, compared = e3_compared(share, parts, keep)
        named = {f"{method}, effect {percent(effect)}": cells for (effect, method), cells in compared.items()}
        tally.add(f"Suspensions, {percent(share)} of the estimation window", [count], named)
        lines = [
            [percent(effect), f"`{method}`", *(shown(cells[name], digits) for name, digits in E3_DIGITS.items())]
            for (effect, method), cells in compared.items()
        ]
        blocks.append({"share": percent(share), "draws": f"{count:,}", "lines": lines})
    return blocks


def e3b_section(parts: int, keep: Path, tally: Tally) -> list[Section]:
    """Simulate table E3b."""
    blocks = []
    for limits in (False, True):
        compared = e3b_compared(limits, parts, keep)
        title = "Price limit of 10%" if limits else "No price limit"
        named = {f"effect {percent(row['effect'])}, [0, {row['window_end']}]": cells for row, _, cells in compared}
        tally.add(f"Three firms, {title[0].lower()}{title[1:]}", [count for _, count, _ in compared], named)
        blocks.append({"title": title, "lines": [_e3b_line(*entry) for entry in compared]})
    return blocks


def _e3b_line(row: pd.Series, count: int, cells: Cells) -> list[str]:
    rates = [shown(cells[name], 1) for name in actual_design.COLUMNS]
    return [percent(row["effect"]), f"[0, {row['window_end']}]", f"{count:,}", shown(cells["caar"], 4), *rates]


def e1_section(tally: Tally) -> Section:
    """Simulate what has a formula."""
    powers = {case: analytic.simulated_power(*case) for case in analytic.MACKINLAY_POWER}
    sizes = {case: analytic.simulated_sizes(*case) for case in analytic.CLUSTERED_SIZES}
    tally.add("MacKinlay's power", [analytic.DRAWS], {str(case): {"Patell": cell} for case, cell in powers.items()})
    tally.add("Sizes under equal correlation", [analytic.DRAWS], {str(case): cells for case, cells in sizes.items()})
    ratios = zip(("good", "bad", "none"), analytic.MACKINLAY_RATIOS.items(), strict=False)
    return {
        "power": [
            [percent(case[0]), percent(case[1], 1), str(case[2]), number(100 * analytic.MACKINLAY_POWER[case], 0), shown(cell, 1)]
            for case, cell in powers.items()
        ],
        "sizes": [[str(n), str(rho), *(shown(cell, 1) for cell in cells.values())] for (n, rho), cells in sizes.items()],
        "size_names": analytic.NAMES,
        "ratios": [
            [news, f"{number(mean, 3)}%", f"{se}%", number(ratio, 2), number(analytic.published_ratio(mean, se), 2)]
            for news, ((mean, se), ratio) in ratios
        ],
        "e1_draws": f"{analytic.DRAWS:,}",
    }


def content(paths: int, thousands: int, parts: int, keep: Path) -> Section:
    """Simulate everything; return what the template needs."""
    full = (scenarios.PATHS, suspensions.E3_DRAWS // suspensions.CHUNK, actual_design.PARTS)
    complete = (paths, thousands, parts) == full
    options = f" --paths {paths} --thousands {thousands} --parts {parts}"
    tally = Tally()
    sections = {
        "e2": e2_section(paths, keep, tally),
        "e3": e3_section(thousands, keep, tally),
        "e3b": e3b_section(parts, keep, tally),
        **e1_section(tally),
    }
    return sections | {
        "command": "make validation-page" if complete else f"PYTHONPATH=tests python -m validation.page{options}",
        "complete": complete,
        "summary": tally.summary,
        "misses": tally.misses,
        "short_draws": "1,000",
        "market_path": scenarios.MARKET_PATH,
        "e2_specified": f"{scenarios.E2_DRAWS:,}",
        "e2_paths": paths,
        "e2_again": paths == full[0],
        "more_paths": scenarios.MORE_PATHS,
        "e3_specified": f"{suspensions.E3_DRAWS:,}",
        "e3_again": thousands == full[1],
        "mistakes": len(MISTAKES),
        "in_every_run": len(IN_EVERY_RUN),
    }


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description="Simulate the tables of docs/validation.md and write the page.")
    parser.add_argument("--paths", type=int, default=scenarios.PATHS, help="market paths of size and power, 2,000 draws each")
    parser.add_argument("--thousands", type=int, default=4, help="thousands of draws of the treatments of suspensions")
    parser.add_argument("--parts", type=int, default=actual_design.PARTS, help="parts of the three firms, 125 draws each")
    parser.add_argument("--keep", type=Path, default=KEPT, help="where what was simulated is kept until the page is written")
    parser.add_argument("--resume", action="store_true", help="take up what an interrupted run kept, of the same code")
    chosen = parser.parse_args()
    if not chosen.resume:
        shutil.rmtree(chosen.keep, ignore_errors=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filled = content(chosen.paths, chosen.thousands, chosen.parts, chosen.keep)
    PAGE.write_text(environment.get_template("page.md.jinja").render(filled), encoding="utf-8")


if __name__ == "__main__":
    main()
