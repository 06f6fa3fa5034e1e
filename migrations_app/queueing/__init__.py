"""Which job may run next, and every change of a job's state."""
