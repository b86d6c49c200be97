"""The commands are part of the program, each with its help."""

from __future__ import annotations

import typer

from analyzer.cli.packet_commands import add_to


def test_each_command_has_an_example() -> None:
    app = typer.Typer()
    app.command(name="first")(lambda: None)
    add_to(app)
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {"plot", "follow", "slice", "inspect", "verify"} <= set(commands)
    for name, command in commands.items():
        assert name == "first" or f"Example: analyzer {name} captures/" in command.help
