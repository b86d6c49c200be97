"""Stage 7: rows become Arrow tables. Every column is declared once, with unit and meaning (``build.dictionary``)."""

from analyzer.report.report import Report

__all__ = ["Report"]
