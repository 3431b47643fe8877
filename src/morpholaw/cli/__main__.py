"""``python -m morpholaw.cli`` is the command ``morpholaw``."""

from morpholaw.cli import main

main(prog_name="morpholaw")
