"""Stage 7: rows become Arrow tables. Every column is declared once, with unit and meaning (``build.dictionary``)."""
