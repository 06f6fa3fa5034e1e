"""A small PurelyMail of our own, spoken to over HTTP; for demo mode, development and tests."""
