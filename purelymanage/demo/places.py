"""Where the demo's servers listen. Apart, because the servers themselves take long to import."""

HOST = "127.0.0.1"
