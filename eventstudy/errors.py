"""What can go wrong, and the exit code each kind of trouble ends the program with."""

from collections.abc import Iterable


class EventStudyError(Exception):
    """Base of every error this package raises on purpose; its text is one sentence with a remedy."""

    exit_code = 1


class UnexpectedError(EventStudyError):
    """Something this package did not foresee."""

    def __init__(self, text: str) -> None:
        super().__init__(f"internal error ({text}): please report it; --debug shows where")


class ConfigError(EventStudyError):
    """The config, the command line or an argument cannot be used as it stands."""

    exit_code = 2


class DataError(EventStudyError):
    """Prices, volumes or dates are missing or unusable."""

    exit_code = 3


class EventsExcludedError(EventStudyError):
    """The study finished, but events were excluded and ``--strict`` was given."""

    exit_code = 4


class SourceUnreachableError(EventStudyError):
    """The price source does not answer and nothing stored can serve instead."""

    exit_code = 5


class LockedError(EventStudyError):
    """Another run holds the lock."""

    exit_code = 6


class TookTooLongError(EventStudyError):
    """The study took longer than ``--timeout`` and was ended."""

    exit_code = 7


class UnknownSymbolError(DataError):
    """The price source does not know the symbol."""


class OutputError(EventStudyError):
    """The folder to write to cannot take what is to be written."""

    exit_code = 2


class NoPricesError(UnknownSymbolError):
    """The price source knows the symbol, but has no price of it in the range asked for."""


class MalformedAnswerError(SourceUnreachableError):
    """The price source answers, but not with anything that can be read."""


class RateLimitedError(SourceUnreachableError):
    """The price source asks for fewer questions."""


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a value that is none of the choices there are.

    Raises
    ------
    ConfigError
        Names them.
    """
    if value not in choices:
        raise ConfigError(f"{name} = {value!r} is none of {', '.join(choices)}")
