"""The package `ffjr-eventstudies`: market model, AAR and CAAR, from its own Parquet file."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from eventstudies import MultipleEvents, SingleEvent

source, target = Path(sys.argv[1]), Path(sys.argv[2])
SingleEvent.import_returns(path=str(source / "returns.parquet"))
events = pd.read_csv(source / "events-lemaire.csv", parse_dates=["event_date"])
names = {"security_ticker": "ticker", "market_ticker": "mkt_idx"}
study = MultipleEvents.from_list(
    events.rename(columns=names).to_dict("records"), SingleEvent.MarketModel, event_window=(-10, 10), est_size=250, buffer_size=0
)
if study.errors:
    sys.exit(f"{len(study.errors)} events failed: {study.errors[0]}")
columns = {"ar": "AR", "car": "CAR", "t": "tstat", "p_value": "pvalue"}
table = {name: np.concatenate([getattr(event, attribute) for event in study.sample]) for name, attribute in columns.items()}
pd.DataFrame({"event": np.repeat(np.arange(len(study.sample)), 21)} | table).to_csv(target / "events.csv", index=False)
study.results(asterisks=False, decimals=None).to_csv(target / "caar.csv")
