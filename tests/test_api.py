"""`morpholaw.api` for programmers: every name is there and documented, and only asking for it loads torch."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import morpholaw
from morpholaw import api

PAGES = sorted((Path(__file__).parents[1] / "docs/reference").glob("*.md"))


def test_importing_morpholaw_does_not_load_torch():
    code = "import sys, morpholaw; assert 'torch' not in sys.modules; import morpholaw.api"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_are_sorted_and_there():
    assert api.__all__ == sorted(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)


def test_every_function_of_the_reference_says_what_it_takes():
    missing = {name: rest for name, function in _documented() if (rest := _not_described(function))}
    assert missing == {}


def _documented():
    """Functions and methods of what the reference pages and the two public modules name."""
    named = [text for page in PAGES for text in re.findall(r"^::: (\S+)", page.read_text(), re.MULTILINE)]
    things = [resolve_name(name) for name in named]
    things += [getattr(module, name) for module in (api, morpholaw) for name in module.__all__]
    for thing in things:
        if inspect.ismodule(thing):
            things += [one for name, one in vars(thing).items() if _is_public(name, one, thing.__name__)]
        elif inspect.isclass(thing):
            for name, one in inspect.getmembers(thing, inspect.isroutine):
                if _is_public(name, getattr(one, "__func__", one)):
                    yield f"{thing.__qualname__}.{name}", inspect.unwrap(getattr(one, "__func__", one))
        elif inspect.isfunction(thing):
            yield thing.__qualname__, inspect.unwrap(thing)


def _is_public(name, thing, module="morpholaw"):
    names = name, getattr(thing, "__name__", "")
    return not any(one.startswith("_") for one in names) and (
        getattr(thing, "__module__", None) or ""
    ).startswith(module)


def _not_described(function):
    """Parameters that the docstring does not describe; the first of a method needs no words."""
    lines = [line for line in (inspect.getdoc(function) or "").splitlines() if not line.startswith(" ")]
    described = {part.strip(" *") for line in lines for part in line.partition(" : ")[0].split(",")}
    return set(inspect.signature(function).parameters) - described - {"self", "cls", "study"}
