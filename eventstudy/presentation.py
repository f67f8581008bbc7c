"""How a result presents itself: one long table, tables to print, plots, and what a notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast, overload

import pandas as pd

from eventstudy.errors import ConfigError
from eventstudy.tidy import means_table, tidy_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from eventstudy.report.published import Published
    from eventstudy.result import StudyResult


class Presentation:
    """The part of a `StudyResult` that presents it; what draws and formats is imported when it is called."""

    @property
    def _own(self) -> StudyResult:
        return cast("StudyResult", self)

    def tidy(self) -> pd.DataFrame:
        """Return every estimate in one long table: one row a firm and window, then one row a group and window.

        Returns
        -------
        DataFrame
            ``scope`` (``firm`` or ``group``), ``group`` (of a firm's row: its own), ``event_id``, ``symbol``, ``name``,
            ``event_session``, ``window_start``, ``window_end``, ``headline`` (whether it is the window the study is judged by),
            ``n`` (firms with a CAR), ``estimate`` (CAR, or their mean; decimals), ``std_error``, ``statistic`` (t), ``df``,
            ``p_value`` (two-sided), ``p_holm`` (over the firms of a window), ``ci_low``, ``ci_high``, ``test`` (``t``; for means
            ``portfolio_t``, of more firms than it takes ``cross_sectional_t``, empty where the study runs neither), ``status``,
            ``reason``, ``confounded_by``, ``censored``. NaN or empty where undefined.

        Notes
        -----
        A mean's error is that of rule C7, with the covariance across firms. `cars`, `caar` and `tests` hold the same numbers.

        Examples
        --------
        >>> import eventstudy as es
        >>> study = es.load_study("configs/entity-list-2019.toml")
        >>> result = es.run_study(study.replace(tests=["portfolio_t"]))
        >>> table = result.tidy()
        >>> print(table.query("scope == 'firm' and window_end == 2")[["symbol", "estimate", "p_value"]].round(3).head(3))
               symbol  estimate  p_value
        1   002230.SZ     0.047    0.232
        8   002415.SZ    -0.066    0.048
        15  002236.SZ    -0.085    0.023
        """
        return self._tidy.copy()

    @cached_property
    def means(self) -> pd.DataFrame:
        """The rows of `tidy` that are means: the mean CAR of each group and window with its interval."""
        return means_table(self._own.computation)

    @cached_property
    def _tidy(self) -> pd.DataFrame:
        return tidy_table(self._own.computation, self.means)

    def to_markdown(self, windows: Sequence[tuple[int, int]] | None = None) -> str:
        """Return the table of the study in Markdown: estimates with intervals, the tests by name, N and notes.

        Parameters
        ----------
        windows : sequence of (int, int), optional
            Windows of the estimates; default all. The tests are those of the headline window.

        Returns
        -------
        str
            Tables with pipes, and the notes as a list.

        Raises
        ------
        ConfigError
            If the study has no such window.

        Examples
        --------
        >>> import eventstudy as es
        >>> study = es.load_study("configs/entity-list-2019.toml")
        >>> result = es.run_study(study.replace(tests=["portfolio_t"]))
        >>> lines = result.to_markdown([(0, 2)]).splitlines()
        >>> print(lines[0])
        **US Entity List additions of October 2019**
        >>> print(lines[4])
        | Firm | N | CAR, log % | 95% interval | s.e. | t | df | p | Holm p | Note |
        """
        from eventstudy.report.renderings import markdown

        return markdown(self._published(windows))

    def to_latex(self, windows: Sequence[tuple[int, int]] | None = None, *, label: str = "") -> str:
        r"""Return the table of the study as LaTeX that goes on over pages; its first line names the packages that it needs.

        Parameters
        ----------
        windows : sequence of (int, int), optional
            As for `to_markdown`.
        label : str
            For references to it, made of letters, digits and ``: . - _ /``.

        Returns
        -------
        str
            To be input into a document; needs booktabs, longtable and array.

        Raises
        ------
        ConfigError
            If the study has no such window, or LaTeX would not take the label.

        Examples
        --------
        >>> import eventstudy as es
        >>> study = es.load_study("configs/entity-list-2019.toml")
        >>> result = es.run_study(study.replace(tests=["portfolio_t"]))
        >>> print(result.to_latex([(0, 2)], label="tab:cars").splitlines()[3])
        \caption{US Entity List additions of October 2019}\label{tab:cars}\\
        """
        from eventstudy.report.renderings import latex

        return latex(self._published(windows), label)

    @overload
    def to_excel(self, path: str | Path, windows: Sequence[tuple[int, int]] | None = None) -> Path: ...

    @overload
    def to_excel(self, path: IO[bytes], windows: Sequence[tuple[int, int]] | None = None) -> None: ...

    def to_excel(self, path: str | Path | IO[bytes], windows: Sequence[tuple[int, int]] | None = None) -> Path | None:
        """Write the table of the study as a workbook, with sheets of the numbers to sixteen digits.

        Parameters
        ----------
        path : str, Path or binary file
            A path ends in ``.xlsx``; a file that is there is replaced. A file is open for bytes, such as a ``BytesIO``.
        windows : sequence of (int, int), optional
            As for `to_markdown`; the sheets of numbers hold all.

        Returns
        -------
        Path or None
            `path`; None of an open file.

        Raises
        ------
        ConfigError
            If the package xlsxwriter (extra ``excel``) is not installed, `path` is none of these, or there is no such window.
        OutputError
            If the file cannot be written.

        Examples
        --------
        >>> import io
        >>> import eventstudy as es
        >>> study = es.load_study("configs/entity-list-2019.toml")
        >>> result = es.run_study(study.replace(tests=["portfolio_t"]))
        >>> book = io.BytesIO()
        >>> result.to_excel(book)
        >>> book.getvalue()[:2]  # a workbook is a zip file
        b'PK'
        """
        from eventstudy.report.renderings import excel

        target = Path(path) if isinstance(path, str | Path) else path
        if isinstance(target, Path) and target.suffix.lower() != ".xlsx":
            raise ConfigError(f"path = {str(path)!r} is no workbook: end it in .xlsx")
        if not isinstance(target, Path) and (hasattr(target, "encoding") or not hasattr(target, "write")):  # text has one
            raise ConfigError(f"path is a {type(path).__name__}: give the name of a workbook, or a file that is open for bytes")
        excel(target, self._published(windows), self.tidy(), self._own.tests_in_full)
        return target if isinstance(target, Path) else None

    def plot_car(
        self, symbol: str | None = None, *, event_id: str | None = None, start: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the CAR session by session with its interval; suspended sessions are shaded and bridged.

        Parameters
        ----------
        symbol, event_id : str, optional
            One firm, or the firms of one event; default all treated firms, and their mean where all of them have a value.
        start : int
            First session of the sums; default that of the headline window, at most 0.
        ax : Axes, optional
            Default new axes, on a figure that pyplot knows nothing of (``.figure`` shows it).

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If no such firm has an estimate, or `start` lies outside the event window.

        Examples
        --------
        >>> import eventstudy as es
        >>> result = es.run_study("configs/entity-list-2019.toml")
        >>> axes = result.plot_car("002415.SZ")
        >>> axes.get_legend_handles_labels()[1]
        ['Hikvision', 'suspended']
        """
        from eventstudy.report.plots import plot_car

        return plot_car(self._own.part(symbol, event_id), symbol, event_id, start, ax)

    def plot_prices(self, symbol: str | None = None, *, event_id: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw share and benchmark as total return, both 100 at the last close before the event; suspensions are shaded.

        Parameters
        ----------
        symbol, event_id, ax
            As for `plot_car`; at most six firms. More than six events of one firm are thin lines, with the means of share and
            benchmark where all of the events have a value.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            If no such firm has an estimate, or there are too many.

        Examples
        --------
        >>> import eventstudy as es
        >>> result = es.run_study("configs/entity-list-2019.toml")
        >>> axes = result.plot_prices("002415.SZ")
        >>> axes.get_legend_handles_labels()[1]
        ['Hikvision', 'CSI 300', 'suspended']
        """
        from eventstudy.report.plots import plot_prices

        return plot_prices(self._own.part(symbol, event_id), symbol, event_id, ax)

    def _published(self, windows: Sequence[tuple[int, int]] | None) -> Published:
        from eventstudy.report.published import published

        for pair in windows or ():
            self._own.car(pair)  # refuses a window that the study does not have
        return published(self._own, [(lo, hi) for lo, hi in windows] if windows else None, every_test=True)

    def __repr__(self) -> str:
        return self._own.summary().to_string(index=False)

    def _repr_html_(self) -> str:
        from eventstudy.report.published import published
        from eventstudy.report.renderings import html

        return html(published(self._own, "headline", every_test=False))
