"""Hearing: from samples to speech, words, expression and the end of a turn."""
