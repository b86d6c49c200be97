"""``analyzer explain``: the life of one connection in words, with a waterfall."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field

from analyzer.cli.cold_start import announcing_compilation, choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.layout import printable


@dataclass(frozen=True)
class ExplainRequest:
    """What the user asked for, as typed."""

    capture: str
    connection: str
    inputs: Inputs = field(default_factory=Inputs)
    teach: bool = False


def run_explain(request: ExplainRequest, environment: Environment) -> int:
    """Tell the story; the exit status."""
    options = request.inputs.options()
    choose_kernels([request.capture])
    from analyzer.pipeline import Pipeline
    from analyzer.story.case import Gatherer
    from analyzer.story.telling import tell
    from analyzer.story.text import story_lines
    from analyzer.warming import warming

    pipeline = Pipeline(options)
    gatherer = Gatherer(request.connection)
    announcing = announcing_compilation(environment) if environment.stderr.isatty() else nullcontext()
    with warming([request.capture]), announcing:
        for tables in pipeline.run([request.capture]):
            gatherer.add(tables)
    story = tell(gatherer.case())
    for note in pipeline.notes:
        environment.warn(f"analyzer: {note}")
    lines = story_lines(story, environment.width, teach=request.teach, colour=environment.has_colour)
    environment.say("\n".join([*lines, *next_commands(request, story.number)]))
    return 0


def next_commands(request: ExplainRequest, number: int) -> list[str]:
    """What a reader may want to do next."""
    capture = printable(f"'{request.capture}'" if " " in request.capture else request.capture)
    lines = ["Packets to a file:", f"  analyzer slice {capture} {number} -o connection-{number}.pcapng"]
    return lines if request.teach else [*lines, "What all this means:", f"  analyzer explain {capture} {number} --teach"]
