"""Faces in a terminal: the commands of ``rapport``, one module each, and what they show."""
