"""Each step of an event study alone, on plain DataFrames, Series and arrays: what `eventstudy` offers beside whole studies.

The road is sessions, trading status, rows, expected return, abnormal returns, cumulative abnormal returns, tests. These functions
check what they are given and hand it to the same code that a study runs, so that both give the same numbers.
"""
