"""The picture of the README: what was acted, and what it was taken for.

Serves ``evaluate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

from models.prosody.metrics import average_recall, confusion
from models.prosody.predictions import Predictions


def plot(target: Path, shown: Sequence[tuple[str, Predictions]]) -> None:
    """Write a picture of confusions, one panel for each entry of ``shown``."""
    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415  after the backend is chosen

    figure, panels = pyplot.subplots(1, len(shown), figsize=(5.6 * len(shown), 5.2))
    for panel, (title, predictions) in zip(panels, shown, strict=True):
        names = predictions.categories
        shares = confusion(predictions.truth, predictions.found, names)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, line in enumerate(shares):
            for column, share in enumerate(line):
                if share >= 0.01:
                    colour = "white" if share > 0.55 else "#333333"
                    panel.text(
                        column, row, f"{share:.2f}", ha="center", va="center", color=colour, size=8
                    )
        panel.set_xticks(range(len(names)), names, rotation=40, ha="right")
        panel.set_yticks(range(len(names)), names)
        panel.set_xlabel("taken for")
        panel.set_ylabel("acted")
        recall = average_recall(predictions.truth, predictions.found)
        panel.set_title(f"{title}\naverage recall {recall:.2f}", size=10)
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    pyplot.close(figure)
