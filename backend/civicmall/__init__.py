"""CivicMall: the backend of a city's citizen-services app."""

__version__ = "0.1.0"
