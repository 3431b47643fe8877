import os

from morpholaw.training.cores import free_cores


def test_free_cores_are_some_but_not_more_than_there_are():
    assert 1 <= free_cores() <= (os.cpu_count() or 1)
