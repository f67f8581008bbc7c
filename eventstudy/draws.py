"""What the tests by resampling are made from: placebo blocks by group and window, and which groups are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eventstudy.inference.placebo import PlaceboBlocks, PlaceboDraws, placebo_blocks, placebo_max_draws
from eventstudy.inference.sensitivity import SQUARES, like_the_event, scar_squares
from eventstudy.study import ALL, FIRST, LAST, UNCONFOUNDED, Computation
from eventstudy.windows import Window

OF_BLOCKS = {
    "placebo_caar": PlaceboBlocks.mean_car, "placebo_scar": PlaceboBlocks.mean_scar, "placebo_hotelling": PlaceboBlocks.joint,
}  # fmt: skip
Place = tuple[str, Window]


@dataclass(frozen=True)
class Draws:
    """Placebo distributions of a study.

    Parameters
    ----------
    blocks : mapping of (group, window) to PlaceboBlocks
        Empty where the study asks for no placebo test; a group without a CAR has none.
    by_test : mapping of (group, window) to a mapping of test to PlaceboDraws
        None where no firm of the group has a CAR in the window. Differences stand under ``A - B``.
    """

    blocks: Mapping[Place, PlaceboBlocks]
    by_test: Mapping[Place, Mapping[str, PlaceboDraws | None]]


def compared_groups(study: Computation) -> Iterator[tuple[str, str]]:
    """Yield the pairs of groups whose difference is tested: two treated groups, and all treated firms against placebo firms."""
    roles = {
        group: {firm.dated.event.role for firm in members}
        for group, members in study.groups.items()
        if group not in (ALL, UNCONFOUNDED, FIRST, LAST)
    }
    treated = [group for group, found in roles.items() if found == {"treated"}]
    if len(treated) == 2 and not _shared(study, *treated):
        yield treated[0], treated[1]
    if study.groups[ALL]:
        for group, found in roles.items():
            if found == {"placebo"} and not _shared(study, ALL, group):
                yield ALL, group


def _shared(study: Computation, first: str, second: str) -> bool:
    return bool({firm.symbol_session for firm in study.groups[first]} & {firm.symbol_session for firm in study.groups[second]})


def difference_name(first: str, second: str) -> str:
    """Name a difference of two groups as the tables do."""
    return f"{first} - {second}"


def draw_placebos(study: Computation) -> Draws:
    """Draw the placebo distributions the study asks for."""
    plan = study.inputs.plan
    wanted = [name for name in OF_BLOCKS if name in plan.tests]
    blocks: dict[Place, PlaceboBlocks] = {}
    drawn_of: dict[int, PlaceboBlocks] = {}  # by cross-section: groups may have the same firms
    found: dict[Place, dict[str, PlaceboDraws | None]] = {}
    for group in study.groups:
        for window in plan.windows.car:
            cross = study.cross_section(group, window)
            if cross.firms and (wanted or "placebo_difference" in plan.tests):
                if id(cross) not in drawn_of:
                    drawn_of[id(cross)] = placebo_blocks(cross)
                blocks[group, window] = drawn_of[id(cross)]
            made = blocks.get((group, window))
            found[group, window] = {name: OF_BLOCKS[name](made) if made else None for name in wanted}
            if (drawn := found[group, window].get("placebo_caar")) is not None:
                found[group, window] |= like_the_event(cross, drawn)
            if made and "placebo_scar" in wanted:
                found[group, window][SQUARES] = scar_squares(made)
        if "placebo_max" in plan.tests:
            after = [study.cross_section(group, window) for window in plan.windows.car if window[0] == 0]
            sections = [cross for cross in after if cross.firms]
            found[group, plan.headline_window]["placebo_max"] = placebo_max_draws(sections) if sections else None
    if "placebo_difference" in plan.tests:
        for first, second in compared_groups(study):
            for window in plan.windows.car:
                mine, its = blocks.get((first, window)), blocks.get((second, window))
                drawn = mine.less(its) if mine and its else None
                found[difference_name(first, second), window] = {"placebo_difference": drawn}
    return Draws(blocks, found)
