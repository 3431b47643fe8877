"""Completion of commands and options by the Tab key."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

COMMAND = "morpholaw"
VARIABLE = "_MORPHOLAW_COMPLETE"
"""What click looks at when a shell asks for completions."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes the Tab key complete commands and options.

    For bash, once: morpholaw completion bash >> ~/.bashrc. For zsh the same with ~/.zshrc; for fish, write it to
    ~/.config/fish/completions/morpholaw.fish.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    click.echo(kind(context.find_root().command, {}, COMMAND, VARIABLE).source())
