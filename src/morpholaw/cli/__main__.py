"""Run the command ``morpholaw`` with ``python -m morpholaw.cli``."""

from morpholaw.cli import main

main(prog_name="morpholaw")
