"""Stage 8: the report's tables as files. ``writers.FORMATS`` lists the formats."""
