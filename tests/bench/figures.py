"""One row of `make bench`: a figure, its budget if it has one, and whether it is within the budget."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure. `holds` is None for a figure without a budget; `note` says what the figure is made of."""

    name: str
    value: float | str
    unit: str = ""
    budget: str | None = None
    holds: bool | None = None
    note: str = ""

    @property
    def fails(self) -> bool:
        """Whether it is over its budget."""
        return self.holds is False


def at_most(name: str, value: float, unit: str, most: float, note: str = "") -> Figure:
    """A figure that may be at most `most`."""
    return Figure(name, value, unit, f"≤ {most:,g}", value <= most, note)


def at_least(name: str, value: float, unit: str, least: float, note: str = "") -> Figure:
    """A figure that must be at least `least`."""
    return Figure(name, value, unit, f"≥ {least:,g}", value >= least, note)


def every_budget_holds(figures: Iterable[Figure]) -> bool:
    """Whether nothing is over its budget."""
    return not any(figure.fails for figure in figures)


def table(title: str, figures: Sequence[Figure]) -> Iterator[str]:
    """The lines of a table for a terminal: name, figure and unit, budget, verdict, note."""
    names = max((len(figure.name) for figure in figures), default=0)
    values = max((len(_value(figure)) for figure in figures), default=0)
    budgets = max((len(figure.budget or "") for figure in figures), default=0)
    yield title
    for figure in figures:
        verdict = {True: "holds", False: "OVER", None: ""}[figure.holds]
        cells = f"{figure.name:<{names}}  {_value(figure):>{values}}  {figure.budget or '':<{budgets}}  {verdict:<5}"
        yield f"  {cells}  {figure.note}".rstrip()


def _value(figure: Figure) -> str:
    return f"{_number(figure.value)} {figure.unit}".rstrip()


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}" if value >= 100 else f"{value:.2f}"
