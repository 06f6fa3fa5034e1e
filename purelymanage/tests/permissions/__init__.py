"""Who may do what: a table of every address, and what sends the requests that prove it."""
