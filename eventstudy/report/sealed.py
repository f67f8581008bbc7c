"""The seals of a study's design, as the page tells of them."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.report.language import N_, _, ngettext
from eventstudy.report.subjects import Reading
from eventstudy.report.wording import own_words, visible
from eventstudy.seal import TIMINGS, Change, Standing

TIMINGS_SAID = (  # how a seal lies to its events; listed for the catalogue alone: seal.py says them in English
    N_("Sealed before the first session of the event window."),
    N_("Sealed before the event, but after the first session of the event window."),
    N_("Sealed after some of the events: for these not a pre-registration."),
    N_("Sealed after the event: not a pre-registration."),
)


@dataclass(frozen=True)
class SealWords:
    """A seal of the design as the page tells of it."""

    opening: str
    changes: tuple[str, ...]
    timing: str
    sealed_at: str
    sha256: str


def seals(reading: Reading) -> list[SealWords]:
    """Return how the study stands to the seals of its design, the one in force first."""
    return [
        SealWords(
            _opening(one), tuple(_design_change(change) for change in one.changes), _timing(one),
            one.seal.sealed_at.isoformat(), visible(one.seal.sha256),
        )
        for one in reading.result.standings
    ]  # fmt: skip


def _opening(one: Standing) -> str:
    """Return when a design was sealed, and whether it changed since."""
    mark = _("{moment} (SHA-256 {hash}…)", moment=one.seal.sealed_at.isoformat(), hash=one.seal.sha256[:16])
    count = len(one.changes)
    if one.replaced and count:
        return ngettext(
            "An earlier seal, replaced later: design sealed on {mark}, {count} change since:",
            "An earlier seal, replaced later: design sealed on {mark}, {count} changes since:", count, mark=mark, count=count,
        )  # fmt: skip
    if one.replaced:
        return _("An earlier seal, replaced later: design sealed on {mark}, unchanged since.", mark=mark)
    if count:
        return ngettext(
            "Design sealed on {mark}, {count} change since:", "Design sealed on {mark}, {count} changes since:",
            count, mark=mark, count=count,
        )  # fmt: skip
    return _("Design sealed on {mark}, unchanged since.", mark=mark)


def _timing(one: Standing) -> str:
    words = TIMINGS[one.timing]
    return _(words)


def _design_change(change: Change) -> str:
    key, old, new = (own_words(text or "") for text in (change.key, change.old, change.new))
    if change.old is None:
        return _("{key}: added, {new}", key=key, new=new)
    return _("{key}: removed, was {old}", key=key, old=old) if change.new is None else f"{key}: {old} -> {new}"
