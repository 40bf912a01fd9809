"""Projective geometry: where a flat drawing lands in the picture, as 3 x 3 matrices."""

from __future__ import annotations

import numpy as np

DISTANCE = 2.6  # of the camera, in box sizes: how strong perspective is


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix (3, 3) for angles in degrees: first roll, then pitch, then yaw; y points down.

    >>> rotation(0, 0, 90).round(3).tolist()[0]
    [0.0, 1.0, 0.0]
    """
    yaw, pitch, roll = np.deg2rad([yaw, pitch, roll])
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def placement(
    centre: tuple[float, float],
    size: float,
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
    mirror: bool = False,
    stretch: float = 1.0,
    shear: float = 0.0,
) -> np.ndarray:
    """Homography (3, 3) from the drawing's box ([-.5, .5] squared) to pixels.

    `centre`, `size` in pixels; `angles` (yaw, pitch, roll) in degrees; `stretch`, `shear` deform the drawing first.

    >>> (placement((48, 40), 60) @ [0.5, 0, 1]).tolist()
    [78.0, 40.0, 1.0]
    """
    turn = rotation(*angles)
    project = np.array(
        [[size * turn[0, 0], size * turn[0, 1], 0], [size * turn[1, 0], size * turn[1, 1], 0],
         [turn[2, 0] / DISTANCE, turn[2, 1] / DISTANCE, 1]]
    )  # fmt: skip
    root = np.sqrt(stretch)
    deform = np.array([[-root if mirror else root, shear, 0], [0, 1 / root, 0], [0, 0, 1]])
    move = np.array([[1, 0, centre[0]], [0, 1, centre[1]], [0, 0, 1]])
    return move @ project @ deform


def coefficients(to_picture: np.ndarray, to_source: np.ndarray) -> tuple[float, ...]:
    """Pillow's eight PERSPECTIVE coefficients (picture pixel -> source pixel).

    `to_picture`: box -> picture; `to_source`: box -> source image; both (3, 3).

    >>> coefficients(np.eye(3), np.diag([2.0, 2.0, 1.0]))
    (2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0)
    """
    matrix = to_source @ np.linalg.inv(to_picture)
    return tuple(float(v) for v in (matrix / matrix[2, 2]).ravel()[:8])


def box_to_raster(side: int) -> np.ndarray:
    """Matrix (3, 3) from the box to the pixels of a raster of that side.

    >>> (box_to_raster(80) @ [-0.5, 0.5, 1]).tolist()
    [0.0, 80.0, 1.0]
    """
    return np.array([[side, 0, side / 2], [0, side, side / 2], [0, 0, 1.0]])


def box_to_texture(span: float, angle: float, origin: float) -> np.ndarray:
    """Matrix (3, 3) from the box to texture pixels: `span` pixels across the box, turned by `angle` degrees,
    the box's centre at (`origin`, `origin`)."""
    turn = np.deg2rad(angle)
    c, s = span * np.cos(turn), span * np.sin(turn)
    return np.array([[c, s, origin], [-s, c, origin], [0, 0, 1.0]])
