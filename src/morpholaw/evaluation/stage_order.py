"""The order in which a cell passes through its stages: a cycle, and stages that are final."""

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
"""A class that cells leave at most this often, relative to how often they enter it, is taken to be final."""


@dataclass(frozen=True)
class StageOrder:
    """The order of stages.

    Attributes
    ----------
    cycle : tuple of str
        Stages in the order in which a cell passes through them. The last leads back to the first, in which cells spend
        most of their time: interphase, prometaphase, metaphase, anaphase.
    final : tuple of str
        Stages that any cell may enter and that none leaves, such as apoptosis.

    Notes
    -----
    Classes that are in neither may come before and after any other.
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
        """Return the order that a person wrote down; a first stage that is repeated at the end is left out there.

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
        """Raise an `InputError` if a stage is none of ``classes``.

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
        """The order in one line: "interphase → metaphase → anaphase → interphase; final: apoptosis"."""
        line = " → ".join((*self.cycle, self.cycle[0]))
        return f"{line}; final: {', '.join(self.final)}" if self.final else line

    def steps(self, classes: Sequence[str]) -> np.ndarray:
        """Return which class may follow which from one frame to the next, bool (C, C): from row to column.

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
        """Return which class a daughter may begin in, bool (C, C), by the last class of her mother.

        A division takes time, so one stage may pass unseen between the two; the first stage, which lasts, may not.

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
        """Return the steps that stay, lead into a final class, or concern a class that the order does not name."""
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
            ``track_id`` and ``t``, one row per cell.
        names : sequence of str
            The class of every row; rows of no class are passed over.
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
    """Read the order of stages off labelled tracks.

    The cycle begins with the most frequent class and follows, from class to class, the change that is seen most often,
    within tracks and from mother to daughter. Classes outside it that cells enter and do not leave are final.

    Parameters
    ----------
    cells : DataFrame
        ``track_id``, ``t`` and ``parent`` (-1: none), one row per cell.
    labels : sequence of str
        The class of every row, "" for none.
    classes : sequence of str
        The classes; others are passed over.

    Returns
    -------
    StageOrder or None
        None where the labels show no cycle.
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
    """Return the place of each name among the classes, int64 (n,); -1 for others."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(name, -1) for name in names], np.int64)
