"""Is what was typed well formed? One module per resource."""
