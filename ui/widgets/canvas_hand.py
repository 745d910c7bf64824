"""The reader's hand on a frame: from presses and moves to a changed outline, a stroke, or points. Knows no widget."""

from __future__ import annotations

import numpy as np

from pipeline.errors import EditError
from pipeline.records import Array
from pipeline.review.contour_shapes import evened, fitted, opened, pulled, redrawn, standard_wall
from ui.echo_tools import EchoTool, Structure

GRAB_PX = 14.0
"""A press this near to the line, in widget pixels, takes hold of it."""
POINT_NAMES = ("annulus left", "annulus right", "apex")


class Hand:
    """Follows one gesture. `line` is the outline in force; all points are pixels of the cropped frame."""

    def __init__(self) -> None:
        self.tool = EchoTool()
        self._held: tuple[int, Array] | None = None  # point of the line, and the line when it was taken
        self._stroke: list[Array] = []
        self.points: list[Array] = []  # of three clicks
        self.is_down = False

    def take(self, tool: EchoTool) -> None:
        """Change the tool; what was begun is dropped."""
        if tool != self.tool:
            self.tool = tool
            self.drop()

    def drop(self) -> None:
        """Forget what was begun."""
        self._held, self._stroke, self.points, self.is_down = None, [], [], False

    @property
    def stroke(self) -> Array:
        """What was drawn so far, float64 (n, 2)."""
        return np.asarray(self._stroke, float).reshape(-1, 2)

    @property
    def waits_for(self) -> str:
        """What the next click names."""
        return POINT_NAMES[len(self.points)] if self.tool.name == "points" else ""

    def press(self, at: Array, line: Array | None, reach_px: float) -> None:
        """The button goes down; `reach_px` is how near counts as on the line."""
        self.is_down = True
        if self.tool.name == "pull" and line is not None:
            distance = np.hypot(*(line - at).T)
            nearest = int(np.argmin(distance))
            self._held = (nearest, line) if distance[nearest] <= reach_px else None
        elif self.tool.name == "points":
            self.points.append(at)
        else:
            self._stroke = [at]

    def move(self, at: Array) -> None:
        """The pointer moves with the button down."""
        if not self.is_down:
            return
        if self._held is not None:
            self._stroke = [at]
        elif self._stroke:
            straight = self.tool.name in ("length", "calibrate")
            self._stroke = [self._stroke[0], at] if straight else [*self._stroke, at]

    def pulled_line(self, shape: tuple[int, int], spacing_mm: tuple[float, float] | None) -> Array | None:
        """The outline as the pull makes it; None while nothing is held."""
        if self._held is None or not self._stroke:
            return None
        point_idx, line = self._held
        structure = self.tool.structure
        return evened(pulled(line, point_idx, self._stroke[0], structure), structure, shape, spacing_mm)

    def release(
        self, line: Array | None, template: Array | None, shape: tuple[int, int], spacing: tuple[float, float] | None
    ) -> Array | None:
        """The button goes up; what the gesture gives, None where it is not finished or was a mere click.

        `template` is the model's outline of the nearest frame, which three clicks are fitted with; None takes an
        ellipse.

        Raises
        ------
        EditError
            The gesture makes no outline; the sentence says why.
        """
        self.is_down = False
        structure: Structure = self.tool.structure
        try:
            if self.tool.name == "pull":
                return self.pulled_line(shape, spacing)
            if self.tool.name == "points":
                return self._fitted(template, shape, spacing)
            if self.tool.name == "redraw":
                drawn = opened(self.stroke, structure) if line is None else redrawn(line, self.stroke, structure)
                return evened(drawn, structure, shape, spacing)
            return self._measured()
        finally:
            if self.tool.name != "points":
                self._held, self._stroke = None, []

    def _fitted(
        self, template: Array | None, shape: tuple[int, int], spacing: tuple[float, float] | None
    ) -> Array | None:
        if len(self.points) < len(POINT_NAMES):
            return None
        left, right, apex = self.points
        self.points = []
        structure = self.tool.structure
        if structure == "left_atrium":
            raise EditError("Three points place the walls of the ventricle; pull or redraw the atrium.")
        wall = standard_wall() if template is None else template
        return evened(fitted(wall, left, right, apex), structure, shape, spacing)

    def _measured(self) -> Array | None:
        drawn = self.stroke
        if self.tool.name == "area":
            return drawn[:: max(1, len(drawn) // 200)] if len(drawn) > 4 else None
        return drawn if len(drawn) == 2 and np.hypot(*(drawn[1] - drawn[0])) > 1.0 else None
