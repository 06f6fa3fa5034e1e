"""imapsync as an engine: its command line, its output, its end."""
