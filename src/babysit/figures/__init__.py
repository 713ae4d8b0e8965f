"""Numbers -> pictures. No torch."""
