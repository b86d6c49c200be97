"""The command line: thin, polite, tested against its documentation."""

from __future__ import annotations


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit status: 0 analysed, 1 a capture could not be read or nothing was analysed, 2 wrong usage, 130 interrupted.
    """
    from analyzer.cli.main import run_command

    return run_command(arguments)
