"""The order in which cells pass through stages, which consists of a cycle and final stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

# pandas is imported when tracks are read, so that panels open without it.

_RETURNS = 0.1
"""Largest ratio of exits to entries of a class that is considered final."""


@dataclass(frozen=True)
class StageOrder:
    """The order of stages.

    Attributes
    ----------
    cycle : tuple of str
        Stages in the order in which a cell passes through them, such as interphase, prometaphase, metaphase, anaphase.
        The last leads back to the first, in which cells spend most of their time.
    final : tuple of str
        Stages that a cell can enter from any other but never leaves, such as apoptosis.

    Notes
    -----
    Classes that are in neither may precede and follow any other.
    """

    cycle: tuple[str, ...]
    final: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the stages."""
        every = [*self.cycle, *self.final]
        twice = [name for name in dict.fromkeys(every) if every.count(name) > 1]
        if twice:
            raise InputError(f"The stage {twice[0]!r} is named twice in the order of stages.")
        if len(self.cycle) < 2:
            raise InputError("The order of stages needs two stages or more, such as interphase,metaphase.")

    @classmethod
    def of(cls, cycle: Sequence[str], final: Sequence[str] = ()) -> StageOrder:
        """Return an order of stages; if the first stage is repeated at the end, the repetition is ignored.

        Parameters
        ----------
        cycle : sequence of str
            Stages in their order.
        final : sequence of str
            Classes that no cell leaves.
        """
        names = [name.strip() for name in cycle if name.strip()]
        if len(names) > 2 and names[-1] == names[0]:
            names = names[:-1]
        return cls(tuple(names), tuple(name.strip() for name in final if name.strip()))

    def check(self, classes: Sequence[str]) -> None:
        """Raise an `InputError` if a stage is not among ``classes``.

        Parameters
        ----------
        classes : sequence of str
            All classes, in the order of their numbers.
        """
        for name in (*self.cycle, *self.final):
            if name not in classes:
                raise InputError(
                    f"The order of stages names {name!r}, but the classes are {', '.join(classes)}."
                )

    @property
    def text(self) -> str:
        """The order as text, e.g. "interphase → metaphase → anaphase → interphase; final: apoptosis"."""
        line = " → ".join((*self.cycle, self.cycle[0]))
        return f"{line}; final: {', '.join(self.final)}" if self.final else line

    def steps(self, classes: Sequence[str]) -> np.ndarray:
        """Return whether a class (column) may follow another (row) from one frame to the next, bool (C, C).

        Parameters
        ----------
        classes : sequence of str
            All classes, in the order of their numbers.
        """
        allowed = self._outside_the_cycle(classes)
        for place, name in enumerate(self.cycle):
            after = self.cycle[(place + 1) % len(self.cycle)]
            allowed[classes.index(name), classes.index(after)] = True
        return allowed

    def births(self, classes: Sequence[str]) -> np.ndarray:
        """Return whether a daughter may begin in a class (column), given her mother's last class (row), bool (C, C).

        One stage may be missed between the two because a division is fast, but not the first stage, which is long.

        Parameters
        ----------
        classes : sequence of str
            All classes, in the order of their numbers.
        """
        allowed = self.steps(classes)
        count = len(self.cycle)
        for place, name in enumerate(self.cycle):
            if (place + 1) % count:
                second = self.cycle[(place + 2) % count]
                allowed[classes.index(name), classes.index(second)] = True
        return allowed

    def _outside_the_cycle(self, classes: Sequence[str]) -> np.ndarray:
        """Return the allowed steps that remain in a class, lead to a final class, or involve an unordered class."""
        self.check(classes)
        final = np.array([name in self.final for name in classes])
        free = np.array([name not in self.cycle and name not in self.final for name in classes])
        allowed = np.eye(len(classes), dtype=bool)
        allowed |= final[None] | free[None] | free[:, None]
        allowed[final] = np.eye(len(classes), dtype=bool)[final]
        return allowed

    def violations(self, cells: pd.DataFrame, names: Sequence[str], classes: Sequence[str]) -> int:
        """Count the steps from one frame to the next that the order does not allow.

        Parameters
        ----------
        cells : DataFrame
            One row per cell and frame, with the columns ``track_id`` and ``t``.
        names : sequence of str
            Class of every row. Rows without a class are ignored.
        classes : sequence of str
            All classes.
        """
        import pandas as pd

        allowed = self.steps(classes)
        table = pd.DataFrame({"track": cells["track_id"].to_numpy(), "t": cells["t"].to_numpy()})
        table["class"] = _numbers(names, classes)
        table = table.sort_values(["track", "t"], ignore_index=True)
        before, after = table.iloc[:-1].to_numpy(), table.iloc[1:].to_numpy()
        next_frame = (before[:, 0] == after[:, 0]) & (after[:, 1] == before[:, 1] + 1)
        known = next_frame & (before[:, 2] >= 0) & (after[:, 2] >= 0)
        return int((~allowed[before[known, 2], after[known, 2]]).sum())


def learn_order(cells: pd.DataFrame, labels: Sequence[str], classes: Sequence[str]) -> StageOrder | None:
    """Learn the order of stages from labelled tracks.

    The cycle begins with the most frequent class. From each class, it follows the most frequent transition, within
    tracks and from mother to daughter. Other classes that cells enter but do not leave are final.

    Parameters
    ----------
    cells : DataFrame
        One row per cell and frame, with the columns ``track_id``, ``t`` and ``parent`` (-1 for none).
    labels : sequence of str
        Class of every row; "" for none.
    classes : sequence of str
        The classes to order. Others are ignored.

    Returns
    -------
    StageOrder or None
        The order; None if the labels show no cycle.
    """
    import pandas as pd

    table = pd.DataFrame(
        {
            "track": cells["track_id"].to_numpy(),
            "t": cells["t"].to_numpy(),
            "parent": cells["parent"].to_numpy(),
            "class": _numbers(labels, classes),
        }
    )
    table = table[(table["track"] >= 0) & (table["class"] >= 0)].sort_values(["track", "t"])
    if table.empty:
        return None
    changes = np.zeros((len(classes), len(classes)), np.int64)
    values = table[["track", "t", "class"]].to_numpy()
    follows = (values[1:, 0] == values[:-1, 0]) & (values[1:, 1] == values[:-1, 1] + 1)
    np.add.at(changes, (values[:-1][follows, 2], values[1:][follows, 2]), 1)
    ends, begins = table.groupby("track").last(), table.groupby("track").first()
    daughters = begins[begins["parent"].isin(ends.index)]
    mothers = ends.loc[daughters["parent"]]
    close = daughters["t"].to_numpy() == mothers["t"].to_numpy() + 1
    np.add.at(changes, (mothers["class"].to_numpy()[close], daughters["class"].to_numpy()[close]), 1)
    np.fill_diagonal(changes, 0)
    cycle = [int(np.bincount(table["class"], minlength=len(classes)).argmax())]
    while changes[cycle[-1]].any():
        following = int(changes[cycle[-1]].argmax())
        if following in cycle:
            break
        cycle.append(following)
    if len(cycle) < 2 or not changes[cycle[-1], cycle[0]]:
        return None
    others = [k for k in range(len(classes)) if k not in cycle and changes[:, k].any()]
    final = [k for k in others if changes[k].sum() <= _RETURNS * changes[:, k].sum()]
    return StageOrder(tuple(classes[k] for k in cycle), tuple(classes[k] for k in final))


def _numbers(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return the index of each name among the classes, int64 (n,); -1 for others."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(name, -1) for name in names], np.int64)
