"""Draw how a training went: `python -m pipeline.training.curve --run RUN --output FILE.png`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

STRUCTURES = ("LV cavity", "LV myocardium", "left atrium")


def read_log(run: Path) -> list[dict[str, Any]]:
    """The lines of a training's log.jsonl, in the order of their steps; of a step written twice the last counts."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines() if line.strip()]
    by_step = {line["step"]: line for line in lines}
    if not by_step:
        raise ValueError("the log of this training is empty")
    return [by_step[step] for step in sorted(by_step)]


def draw(run: Path, output: Path) -> None:
    """Loss and Dice against steps as a PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    log = read_log(run)
    steps = [line["step"] for line in log]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    left.plot(steps, [line["loss"] for line in log], color="black")
    left.set(title="Training loss", xlabel="step", yscale="log")
    for i, name in enumerate(STRUCTURES):
        right.plot(steps, [line["dice"][i] for line in log], label=name)
    right.set(title="Dice on valid, averaged weights, one look", xlabel="step", ylim=(0.75, 0.96))
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(output, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Command line of the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="output folder of a training")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    draw(args.run, args.output)


if __name__ == "__main__":
    main()
