"""The package `eventstudy` of the registry, by Lemaire: market model, AAR and CAAR, from its own CSV files."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy import Multiple, Single

source, target = Path(sys.argv[1]), Path(sys.argv[2])
Single.import_returns(str(source / "returns.csv"))
study = Multiple.from_csv(
    str(source / "events-lemaire.csv"), Single.market_model, event_window=(-10, 10), estimation_size=250, buffer_size=0,
    date_format="%Y-%m-%d",
)  # fmt: skip
if study.errors:
    sys.exit(f"{len(study.errors)} events failed")
columns = {"ar": "AR", "car": "CAR", "t": "tstat", "p_value": "pvalue"}
table = {name: np.concatenate([getattr(event, attribute) for event in study.sample]) for name, attribute in columns.items()}
pd.DataFrame({"event": np.repeat(np.arange(len(study.sample)), 21)} | table).to_csv(target / "events.csv", index=False)
study.results(asterisks=False, decimals=None).to_csv(target / "caar.csv")
