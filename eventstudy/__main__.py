"""``python -m eventstudy``."""

from eventstudy.cli import main

main(prog_name="eventstudy")
