"""The package `easy-es`: CAPM regression on the market, mean CARs.

It counts the estimation window in calendar days: 344 of them and the 20 of gap and event window hold the 250 sessions asked for.
"""

import sys
from pathlib import Path

import pandas as pd

sys.path = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]  # not this file

from easy_es import EventStudy, calculate_car_stats  # noqa: E402

source, target = Path(sys.argv[1]), Path(sys.argv[2])
events = pd.read_csv(source / "events.csv").rename(columns={"symbol": "ticker", "session": "event_date"})
returns, factors = (pd.read_parquet(source / f"{name}.parquet") for name in ("long", "factors"))
study = EventStudy(estimation_days=344, gap_days=0, window_before=10, window_after=10, estimator_type="capm", n_cores=1)
study.add_returns(ret_df=returns.assign(Date=returns["Date"].dt.date))
study.add_factors(factors.assign(Date=factors["Date"].dt.date))
found = study.run_study(events)
if found["event_id"].nunique() != len(events):
    sys.exit(f"{found['event_id'].nunique()} of {len(events)} events came back")
found.to_csv(target / "events.csv", index=False)
calculate_car_stats(found).to_csv(target / "caar.csv")
