"""Write a panel's files, and the same for the other packages: ``python -m benchmarks.inputs 1000 FOLDER [peers]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w

from benchmarks.panels import CAR, ESTIMATION, EVENT, Panel, make_panel, write_panel


def carried_returns(panel: Panel) -> pd.DataFrame:
    """Return daily log returns with the last close carried through suspensions, as the other packages take no gaps.

    The column ``market`` holds the benchmark's.
    """
    levels = panel.prices.ffill()
    levels["market"] = panel.benchmark
    return np.log(levels).diff().iloc[1:]


def write_peer_inputs(panel: Panel, folder: Path) -> None:
    """Write returns and events in the formats of the other packages."""
    returns = carried_returns(panel)
    returns.to_csv(folder / "returns.csv")
    returns.to_parquet(folder / "returns.parquet")
    events = pd.DataFrame({"security_ticker": panel.events["symbol"], "market_ticker": "market"})
    events["event_date"] = panel.events["session"]
    events.to_csv(folder / "events-lemaire.csv", index=False)
    long = returns.drop(columns="market").melt(var_name="ticker", value_name="Ret", ignore_index=False)
    long.rename_axis("Date").assign(Volume=1.0).reset_index().to_parquet(folder / "long.parquet")
    factors = pd.DataFrame({"Mkt-RF": returns["market"], "RF": 0.0}).rename_axis("Date").reset_index()
    factors.to_parquet(folder / "factors.parquet")


def write_study(folder: Path) -> None:
    """Write the config of the same study for the command line."""
    config = {
        "study": {"name": "panel", "title": "A made panel", "events": "events.csv"},
        "market": {"calendar": "benchmark", "benchmark": "market"},
        "data": {
            "source": "files", "store": "store",
            "files": {"prices": "prices.parquet", "benchmark": "benchmark.csv", "shape": "wide"},
        },
        "windows": {"estimation": ESTIMATION, "event": EVENT, "car": CAR},
        "model": {"name": "market", "returns": "log", "suspensions": "trade-to-trade"},
        "inference": {"tests": ["cross_sectional_t"], "headline_window": CAR[0]},
        "output": {"format": "parquet"},
    }  # fmt: skip
    (folder / "study.toml").write_text(tomli_w.dumps(config))


if __name__ == "__main__":
    made, target = make_panel(int(sys.argv[1])), Path(sys.argv[2])
    write_panel(made, target)
    write_study(target)
    if "peers" in sys.argv[3:]:
        write_peer_inputs(made, target)
    facts = {"symbols": made.prices.shape[1], "suspended_share": made.suspended_share, "size": made.size}
    json.dump(facts, sys.stdout)
