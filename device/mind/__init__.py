"""The mind: who the device is, and how it lets the user's expression change what it does."""
