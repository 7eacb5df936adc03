"""The conversation: its states, its turns, and what is remembered of them."""
