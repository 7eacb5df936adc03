"""Lines to talk over: the sound card and the WAV simulator, with the parts they are made of.

Layer 2. Chosen and opened by ``app``; everybody else sees them as ``device.ports.Line``.
"""
