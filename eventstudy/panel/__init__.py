"""Thousands of events at once: the same rows, estimates and tests as one event at a time, in closed form on whole arrays."""
