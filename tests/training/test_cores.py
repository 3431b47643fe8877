import os

import psutil
import pytest

from morpholaw.training import cores
from morpholaw.training.cores import free_cores


def test_free_cores_are_some_but_not_more_than_there_are():
    assert 1 <= free_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(("busy", "free"), [(0, 4), (20, 3), (50, 2), (100, 1)])
def test_what_others_do_now_is_left_to_them(monkeypatch, busy, free):
    monkeypatch.setattr(cores, "available_cores", lambda: 4)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    monkeypatch.setattr(psutil, "cpu_percent", lambda seconds: busy)
    assert free_cores() == free
