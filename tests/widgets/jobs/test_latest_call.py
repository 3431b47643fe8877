"""Of many calls while one is under way only the newest is made."""

from __future__ import annotations

import threading

import pytest

from morpholaw.errors import InputError
from morpholaw.widgets.jobs.latest_call import LatestCall


@pytest.mark.parametrize(("live", "expected"), [(False, [3]), (True, [0, 3])])
def test_only_the_newest_of_those_that_wait_is_made(qtbot, live, expected):
    call, told, made, go_on = LatestCall(live=live), [], [], threading.Event()

    def answer(number):
        made.append(number)
        assert go_on.wait(10)
        return number

    call.returned.connect(told.append)
    for number in range(4):
        call.start(answer, number)
    assert call.running
    go_on.set()
    qtbot.waitUntil(lambda: not call.running, timeout=10_000)
    assert made == [0, 3]
    assert told == expected


def test_a_forgotten_call_says_nothing(qtbot):
    call, told, go_on = LatestCall(), [], threading.Event()
    call.returned.connect(told.append)
    call.start(go_on.wait, 10)
    call.start(lambda: "next")
    call.forget()
    assert not call.running
    go_on.set()
    with qtbot.waitSignal(call.returned, timeout=10_000):
        call.start(lambda: "later")
    assert told == ["later"]


@pytest.mark.parametrize("error", [InputError("The movie is 3D."), ZeroDivisionError("by zero")])
def test_a_failure_is_a_sentence(qtbot, error):
    def fail():
        raise error

    call = LatestCall()
    with qtbot.waitSignal(call.failed, timeout=10_000) as failed:
        call.start(fail)
    assert str(error) in failed.args[0]
