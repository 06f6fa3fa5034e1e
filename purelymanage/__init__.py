"""The self-hosted admin panel for mail on PurelyMail."""

__version__ = "0.1.0"
