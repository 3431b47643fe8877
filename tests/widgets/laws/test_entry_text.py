"""The sentence above a formula says first what keeps a reader from drawing conclusions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from morpholaw.widgets.laws.entry_text import law_statement


@pytest.mark.parametrize("beats_guessing", [True, False])
def test_a_law_that_does_not_beat_guessing_says_so_first(beats_guessing):
    record = SimpleNamespace(name="mine", beats_guessing=beats_guessing, two_classes=True)
    entry = SimpleNamespace(classes=("interphase", "metaphase"), other="", place=0)
    page = SimpleNamespace(inequality="area <= 36", sentence="Called metaphase: nuclei that are smaller.")
    first = law_statement(record, entry, page, "").split("\n")[0]
    mark = '\N{WARNING SIGN} The classifier "mine" is not significantly better than guessing.'
    assert first == mark if not beats_guessing else first.startswith("Law 1, which is applied: metaphase")
