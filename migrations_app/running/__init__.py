"""A worker's side of one run: the engine's process, its output, its log, its passwords."""
