"""``analyzer verify``: our reading beside tshark's."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.layout import clip, printable
from analyzer.errors import UsageError


@dataclass(frozen=True)
class VerifyRequest:
    """What the user asked for, as typed."""

    capture: str
    sample: int = 200
    rows: int = 40
    inputs: Inputs = field(default_factory=Inputs)


def run_verify(request: VerifyRequest, environment: Environment) -> int:
    """Compare and print; the exit status."""
    if request.sample < 0 or request.rows < 0:
        raise UsageError("--sample and --rows are numbers, 0 or more.")
    if request.capture == "-":
        raise UsageError("verify reads a capture more than once: save it to a file first.")
    options = request.inputs.options()
    from analyzer.tshark import find_tshark, tell_version

    version = tell_version(find_tshark())
    choose_kernels([request.capture])
    from analyzer.verification import describe, verify

    verdict = verify([request.capture], request.sample, options)
    environment.say(f"{printable(request.capture)} beside {version}")
    for line in describe(verdict):
        environment.say(line)
    if verdict.disagreements:
        environment.say("\nDisagreements")
        rows = verdict.disagreements[: request.rows]
        digits = max(len(str(one.connection)) for one in rows) + 1 if rows else 0
        for one in rows:
            text = f"  {f'#{one.connection}':>{digits}}  {one.what}: ours {one.ours or 'nothing'}, tshark's {one.theirs or 'nothing'}"
            environment.say(clip(printable(f"{text}  (frame {one.frame})"), max(environment.width, 200)))
        more = len(verdict.disagreements) - len(rows)
        if more:
            environment.say(f"  ... {more:,} more: --rows 0 shows none, a larger number more")
    else:
        environment.say("\nNo disagreements." if verdict.compared else "\nNothing in them is read by both.")
    return 0 if verdict.of else 1
