"""Rapport: an empathic voice interface that runs entirely on the device."""

__version__ = "0.1.0"
