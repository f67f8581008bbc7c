"""The command line: verbs, messages and exit codes; everything else lives in the package."""

from eventstudy.cli import designing, looking, running
from eventstudy.cli.base import main

__all__ = ["designing", "looking", "main", "running"]
