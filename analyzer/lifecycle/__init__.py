"""Stage 6: rows of connections and messages become the phases, steps and findings of a lifecycle. Vectorised; no loop over rows."""
