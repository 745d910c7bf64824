"""How a reader's hand changes an outline: pull a point, redraw a part, fit to three points.

Lines are (x, y) pixels of the cropped frame. A wall is open, 97 points from the septal end of the annulus over the
apex, which is the middle point, to the lateral end; an atrium is closed, 64 points.
"""

from __future__ import annotations

import numpy as np

from pipeline.echo.contours import APEX_IDX, N_ATRIUM_POINTS, N_WALL_POINTS
from pipeline.echo.outline import arc_length, resample, signed_area
from pipeline.errors import EditError
from pipeline.records import Array
from pipeline.review.changes import Structure

REACH_PART = 0.08
"""Standard deviation of a pull along the outline, as a part of its length: a hand's breadth on the wall."""
SMALLEST_TRIANGLE = 0.02
"""Three points whose triangle is smaller than this part of the square over their longest side lie on one line."""
SHORTEST_STROKE = 8
SMALLEST_PART = 0.01
"""A first outline has at least so many points, and encloses at least this part of the square over its length."""


def pulled(line: Array, point_idx: int, to_px: Array, structure: Structure, *, reach_part: float = REACH_PART) -> Array:
    """The outline with one point drawn to a place; its neighbours follow with a Gaussian of their distance along it.

    Parameters
    ----------
    line : float (n_points, 2)
    point_idx : int
    to_px : float (2,)
    reach_part : float
        Standard deviation of the Gaussian, as a part of the outline's length.

    Returns
    -------
    float64 (n_points, 2)
        The point lies exactly at its place; the others are not yet spread evenly: see `evened`.
    """
    points = np.asarray(line, float)
    closed = structure == "left_atrium"
    along = arc_length(np.vstack([points, points[:1]]) if closed else points)
    length = max(float(along[-1]), 1e-6)
    distance = np.abs(along[: len(points)] - along[point_idx])
    if closed:
        distance = np.minimum(distance, length - distance)
    weight = np.exp(-0.5 * (distance / (reach_part * length)) ** 2)
    return np.asarray(points + weight[:, None] * (np.asarray(to_px, float) - points[point_idx]))


def redrawn(line: Array, stroke: Array, structure: Structure) -> Array:
    """The outline with a stroke in place of the part of it that lies nearest to the stroke.

    Parameters
    ----------
    line : float (n_points, 2)
    stroke : float (n, 2)
        As drawn, in either direction.

    Returns
    -------
    float64 (m, 2)
        Not yet spread evenly: see `evened`.

    Raises
    ------
    EditError
        E_EDIT: the stroke is a mere click.
    """
    points, drawn = np.asarray(line, float), np.asarray(stroke, float)
    if len(drawn) < 2 or arc_length(drawn)[-1] < 3.0:
        raise EditError("Draw a line along the wall: a click changes nothing.")
    first, last = (int(np.argmin(((points - end) ** 2).sum(1))) for end in (drawn[0], drawn[-1]))
    if structure != "left_atrium":
        if first > last:
            first, last, drawn = last, first, drawn[::-1]
        return np.vstack([points[:first], drawn, points[last + 1 :]])
    turned = np.roll(points, -first, axis=0)  # the loop now begins where the stroke does
    end = (last - first) % len(points)
    inner, outer = turned[: end + 1], np.vstack([turned[end:], turned[:1]])
    if _distance(drawn, inner) <= _distance(drawn, outer):
        return np.vstack([drawn, turned[end + 1 :]])
    return np.vstack([turned[: end + 1], drawn[::-1]])


def _distance(stroke: Array, part: Array) -> float:
    """Mean distance of a part of an outline from a stroke."""
    return float(np.sqrt(((part[:, None] - stroke[None]) ** 2).sum(-1)).min(1).mean())


def fitted(line: Array, left_px: Array, right_px: Array, apex_px: Array) -> Array:
    """A wall moved, turned and stretched so that its annulus and its apex lie on three points.

    Parameters
    ----------
    line : float (97, 2)
        The model's wall: its shape between the points is kept.
    left_px, right_px, apex_px : float (2,)
        Septal and lateral end of the annulus, and the apex.

    Returns
    -------
    float64 (97, 2)

    Raises
    ------
    EditError
        E_EDIT: the three points lie on one line.
    """
    points = np.asarray(line, float)
    goal = np.array([left_px, right_px, apex_px], float)
    given = points[[0, -1, APEX_IDX]]
    for triangle in (goal, given):
        sides = triangle[1:] - triangle[0]
        longest = max(float((sides**2).sum(1).max()), float(((triangle[1] - triangle[2]) ** 2).sum()))
        if abs(float(np.linalg.det(sides))) < SMALLEST_TRIANGLE * max(longest, 1e-6):
            raise EditError("The annulus and the apex must not lie on one line.")
    affine = np.linalg.solve(given[1:] - given[0], goal[1:] - goal[0])
    return np.asarray((points - given[0]) @ affine + goal[0])


def evened(line: Array, structure: Structure, shape: tuple[int, int], spacing_mm: tuple[float, float] | None) -> Array:
    """An outline inside the frame with its points spread as the pipeline spreads them.

    A wall has its middle point at the apex, the point farthest from the middle of the annulus, and even steps on
    either side of it; an atrium has even steps all round.

    Parameters
    ----------
    line : float (n, 2)
    shape : (height, width)
    spacing_mm : (row, column) or None
        Only the ratio matters.
    """
    points = np.clip(np.asarray(line, float), 0, np.array([shape[1], shape[0]]) - 1.0)
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    scale = np.array([1.0, row_mm / column_mm])
    even = points * scale
    if structure == "left_atrium":
        return np.asarray(resample(np.vstack([even, even[:1]]), N_ATRIUM_POINTS + 1)[:-1] / scale)
    reach = ((even - (even[0] + even[-1]) / 2) ** 2).sum(1)
    apex = min(max(int(np.argmax(reach)), 1), len(even) - 2)
    septal, lateral = resample(even[: apex + 1], APEX_IDX + 1), resample(even[apex:], N_WALL_POINTS - APEX_IDX)
    return np.asarray(np.vstack([septal, lateral[1:]]) / scale)


def standard_wall() -> Array:
    """Half an ellipse over its annulus, float64 (97, 2): what three points stretch where the model saw no wall."""
    angle = np.linspace(np.pi, 0.0, N_WALL_POINTS)
    return np.stack([np.cos(angle), -2.0 * np.sin(angle)], -1)


def opened(stroke: Array, structure: Structure) -> Array:
    """A whole outline out of one stroke, where there is none to redraw.

    Parameters
    ----------
    stroke : float (n, 2)
        A wall from one end of the annulus over the apex to the other, in either direction; an atrium all round.

    Returns
    -------
    float64 (n, 2)
        A wall from left to right; not yet spread evenly: see `evened`.

    Raises
    ------
    EditError
        E_EDIT: the stroke is too short for an outline, or encloses nothing.
    """
    points = np.asarray(stroke, float)
    if len(points) < SHORTEST_STROKE or abs(signed_area(points)) < SMALLEST_PART * float(arc_length(points)[-1]) ** 2:
        how = "round the atrium" if structure == "left_atrium" else "from one end of the annulus over the apex back"
        raise EditError(f"There is no outline here yet: draw the whole of it, {how}.")
    is_backwards = structure != "left_atrium" and points[0, 0] > points[-1, 0]
    return points[::-1] if is_backwards else points


def nearest_outline(lines: Array, frame_idx: int) -> Array | None:
    """The outline of the frame nearest in time that has one, from (n_frames, n_points, 2); None where none has."""
    seen = np.flatnonzero(np.isfinite(lines).all((1, 2)))
    return None if not len(seen) else np.asarray(lines[seen[np.argmin(np.abs(seen - frame_idx))]], float)
