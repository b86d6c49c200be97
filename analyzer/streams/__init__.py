"""Stage 4: TCP segments become runs of stream bytes in order, each with the gap before it."""

from analyzer.streams.assembler import Assembler

__all__ = ["Assembler"]
