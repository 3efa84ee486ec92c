"""CivicMall: the backend of a city's citizen-services app."""
