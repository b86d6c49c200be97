"""Pictures of one connection. matplotlib is imported in ``drawing`` only."""
