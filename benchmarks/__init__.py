"""Measurements of conclint on code that others wrote."""
