"""Buttons and lights: what a hand on the device means, and what the device shows."""
