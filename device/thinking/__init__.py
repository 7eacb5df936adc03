"""Thinking: language models behind one port."""
