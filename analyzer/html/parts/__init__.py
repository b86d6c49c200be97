"""The parts of the page: template, style, script."""
