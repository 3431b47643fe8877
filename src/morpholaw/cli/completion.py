"""The command ``completion``: shell completion of commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

COMMAND = "morpholaw"
VARIABLE = "_MORPHOLAW_COMPLETE"
"""Environment variable through which a shell requests completions from click."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the code that enables completion of commands and options with the Tab key.

    To install it, run this once:

    \b
    bash  morpholaw completion bash >> ~/.bashrc
    zsh   morpholaw completion zsh >> ~/.zshrc
    fish  morpholaw completion fish > ~/.config/fish/completions/morpholaw.fish
    """  # noqa: D301
    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    click.echo(kind(context.find_root().command, {}, COMMAND, VARIABLE).source())
