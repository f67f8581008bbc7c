"""Tests across firms: each returns one small object with its null, or the reason why it does not apply."""
