"""Speaking: voices behind one port, and what is done to words and sound on the way."""
