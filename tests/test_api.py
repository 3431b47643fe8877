"""`morpholaw.api` for programmers: every name is there and documented, and only asking for it loads torch."""

import inspect
import subprocess
import sys

import pytest

from morpholaw import api


def test_importing_morpholaw_does_not_load_torch():
    code = "import sys, morpholaw; assert 'torch' not in sys.modules; import morpholaw.api"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_are_sorted_and_there():
    assert api.__all__ == sorted(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)


@pytest.mark.parametrize("name", [name for name in api.__all__ if inspect.isfunction(getattr(api, name))])
def test_every_function_says_what_it_takes_and_returns(name):
    function = getattr(api, name)
    text = inspect.getdoc(function) or ""
    parameters = inspect.signature(function).parameters
    assert "Parameters\n----------" in text
    described = {
        part.strip()
        for line in text.splitlines()
        if not line.startswith(" ")
        for part in line.partition(" : ")[0].split(",")
    }
    assert set(parameters) <= described
