"""Speed and memory of the chamber detection beside published networks: `python -m benchmarks.echo`.

All are timed in turns in one run on the same clip, at one thread and at two. Ours goes from decoded frames to
cleaned contours; the peers, which come without weights, only through their network. Weights do not change the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROUNDS = 5
N_FRAMES, HEIGHT, WIDTH = 100, 480, 640
REPEATED = 120
LENGTHS = (100, 2_000, 10_000)
SPACING_MM = (0.51, 0.51)
DEMO_CLIP = "color3d_jpeg_baseline.dcm"


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to segment the clip, and how many frames a call of it handles."""

    name: str
    frames: int
    call: Callable[[], object]


def clip(n_frames: int) -> np.ndarray:
    """The demo cine, uint8 (n_frames, 480, 640), repeated to the length asked for."""
    from pydicom import dcmread
    from pydicom.data import get_testdata_file
    from pydicom.pixels import pixel_array

    path = get_testdata_file(DEMO_CLIP, download=False)
    if path is None:
        raise SystemExit("the demo cine is not installed")
    grey = pixel_array(dcmread(path)).mean(-1).astype(np.uint8)
    padded = np.zeros((len(grey), HEIGHT, WIDTH), np.uint8)
    rows, columns = min(HEIGHT, grey.shape[1]), min(WIDTH, grey.shape[2])
    padded[:, :rows, :columns] = grey[:, :rows, :columns]
    return np.concatenate([padded] * (n_frames // len(grey) + 1))[:n_frames]


def contenders(frames: np.ndarray) -> list[Contender]:
    """Ours and the peers, each ready to run."""
    import torch

    from benchmarks.peer_networks import DeepLabV3ResNet50, NnUNetDefault
    from pipeline.echo.contours import frame_contours
    from pipeline.echo.segmentation import load_segmenter

    segmenter = load_segmenter()
    deeplab, unet = DeepLabV3ResNet50().eval(), NnUNetDefault().eval()
    small, large = torch.rand(10, 3, 112, 112), torch.rand(2, 1, 256, 256)

    def ours() -> None:
        for batch in segmenter.segment(frames, SPACING_MM):
            for labels in batch.labels:
                frame_contours(labels, SPACING_MM)

    def only_labels() -> None:
        for _ in segmenter.segment(frames, SPACING_MM):
            pass

    def peer(network: torch.nn.Module, images: torch.Tensor) -> Callable[[], object]:
        def call() -> object:
            with torch.inference_mode():
                return network(images)

        return call

    return [
        Contender("Chordae, frames to contours", len(frames), ours),
        Contender("Chordae, frames to labels", len(frames), only_labels),
        Contender("DeepLabV3-ResNet50 112 x 112", len(small), peer(deeplab, small)),
        Contender("nnU-Net default 256 x 256", len(large), peer(unet, large)),
    ]


def race(threads: int) -> dict[str, tuple[float, float]]:
    """Milliseconds a frame of every contender, on the clock and of the processors' time.

    Medians over rounds in which each has its turn; on a busy machine only the processors' time can be compared.
    """
    import torch

    torch.set_num_threads(threads)
    running = contenders(clip(N_FRAMES))
    for contender in running:
        contender.call()
    spent: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in running}
    for _ in range(ROUNDS):
        for contender in running:
            begin, worked = time.perf_counter(), time.process_time()
            contender.call()
            both = time.perf_counter() - begin, time.process_time() - worked
            spent[contender.name].append((1000 * both[0] / contender.frames, 1000 * both[1] / contender.frames))
    medians = {name: np.median(values, axis=0) for name, values in spent.items()}
    return {name: (float(both[0]), float(both[1])) for name, both in medians.items()}


class Repeated:
    """A clip as long as one likes, read from a short one only where it is looked at."""

    def __init__(self, frames: np.ndarray, n_frames: int) -> None:
        self._frames, self._idx = frames, np.arange(n_frames) % len(frames)
        self.shape = (n_frames, *frames.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, chosen: object) -> np.ndarray:
        return np.asarray(self._frames[self._idx[chosen]])  # type: ignore[index]


def long_clips(lengths: tuple[int, ...]) -> dict[int, tuple[float, float]]:
    """Peak memory in MB and processors' time in s of fresh processes that find the chambers in clips so long.

    The memory is less that of the 120 frames that the clips repeat: these come from a file, so that their decoding does
    not count; VmHWM, unlike ru_maxrss, forgets the parent.
    """
    code = (
        "import sys, time, numpy as np\n"
        "from pathlib import Path\n"
        "from benchmarks.echo import SPACING_MM, Repeated\n"
        "from pipeline.echo.contours import frame_contours\n"
        "from pipeline.echo.segmentation import load_segmenter\n"
        "frames = np.load(sys.argv[1])\n"
        "for batch in load_segmenter().segment(Repeated(frames, int(sys.argv[2])), SPACING_MM):\n"
        "    for labels in batch.labels: frame_contours(labels, SPACING_MM)\n"
        "status = dict(line.split(':') for line in Path('/proc/self/status').read_text().splitlines())\n"
        "print(int(status['VmHWM'].split()[0]) / 1024 - frames.nbytes / 2**20, time.process_time())\n"
    )
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.npy"
        np.save(path, clip(REPEATED))
        for n_frames in lengths:
            command = [sys.executable, "-W", "ignore", "-c", code, str(path), str(n_frames)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            memory_mb, cpu_s = map(float, done.stdout.split())
            found[n_frames] = (round(memory_mb), round(cpu_s, 1))
    return found


def main() -> None:
    """Print the tables and, last, one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-memory", action="store_true")
    parser.add_argument("--skip-race", action="store_true")
    args = parser.parse_args()
    report: dict[str, object] = {}
    for threads in () if args.skip_race else (1, 2):
        times = race(threads)
        ours, worked = times["Chordae, frames to contours"]
        print(f"{threads} thread(s)".ljust(34) + "ms/frame  frames/s  over ours  CPU ms/frame  over ours")
        for name, (ms, cpu) in times.items():
            print(f"  {name:32}{ms:8.2f}{1000 / ms:10.1f}{ms / ours:11.1f}{cpu:14.2f}{cpu / worked:11.1f}")
        report[f"threads_{threads}"] = {name: [round(ms, 2), round(cpu, 2)] for name, (ms, cpu) in times.items()}
        print(f"  {N_FRAMES} frames {HEIGHT} x {WIDTH} to contours: {ours * N_FRAMES / 1000:.2f} s")
    if not args.skip_memory:
        for n_frames, (memory_mb, cpu_s) in long_clips(LENGTHS).items():
            print(f"{n_frames} frames: peak memory less the clip {memory_mb:.0f} MB, {cpu_s:.1f} CPU s with the start")
            report[f"frames_{n_frames}"] = {"peak_memory_mb": memory_mb, "cpu_s": cpu_s}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
