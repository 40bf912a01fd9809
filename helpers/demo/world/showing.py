"""How much of each thing in a picture can be seen, and which labels are right by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.demo.world.rendering import _neighbour, _occluder, _place, render
from helpers.demo.world.scene import HEIGHT, WIDTH, Scene

HALF = 0.5  # share of a thing that must show for its class to be a right answer
_GREY = np.array([0.299, 0.587, 0.114])


def shown(scene: Scene) -> list[tuple[int, float]]:
    """Fine class and visible share (0..1) of every thing, the labelled one first.

    The share of its silhouette that lies inside the frame and behind nothing; taken before a turned camera, and
    meant for renditions that show the whole picture.

    >>> shown(Scene(fine=13, material="feathers", others=((60, 0.5, 0.5, 0.2),)))
    [(13, 1.0), (60, 0.0)]
    """
    things = [scene]
    things += [replace(scene, x=x, y=y, scale=scale) for x, y, scale in reversed(scene.copies)]
    things += [_neighbour(scene, *other) for other in reversed(scene.others)]
    frame = (WIDTH, HEIGHT)
    covered = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    if scene.occluder != "none":
        covered = _occluder(scene, (0.0, 0.0), frame).silhouette
    found = []
    for thing in things:  # from front to back
        silhouette = _place(thing, (0.0, 0.0), frame).silhouette
        seen = float((silhouette * (1 - covered)).sum()) / _whole(thing, silhouette)
        found.append((thing.fine, round(min(1.0, seen), 3)))
        covered = 1 - (1 - covered) * (1 - silhouette)
    return found


def _whole(thing: Scene, silhouette: np.ndarray) -> float:
    """Size of a thing's whole silhouette, in pixels."""
    if not (silhouette[[0, -1]].any() or silhouette[:, [0, -1]].any()):
        return float(silhouette.sum())  # whole, as it does not touch the frame
    centred = replace(thing, x=0.5, y=0.5)
    return float(_place(centred, (WIDTH / 2, HEIGHT / 2), (2 * WIDTH, 2 * HEIGHT)).silhouette.sum())


def visible_classes(scene: Scene, least: float = HALF) -> tuple[int, ...]:
    """Fine classes of the things of which at least `least` shows, the labelled one first where it is among them.

    >>> visible_classes(Scene(fine=13, material="feathers", others=((60, 0.2, 0.2, 0.3), (2, 0.5, 0.5, 0.2))))
    (13, 60)
    """
    return tuple(dict.fromkeys(fine for fine, share in shown(scene) if share >= least))


def standing_out(scene: Scene) -> float:
    """How far the labelled thing stands out: standard deviation of grey (0..255) over where it is.

    >>> plain = Scene(fine=13, material="feathers")
    >>> standing_out(plain) > 2 * standing_out(replace(plain, brightness=0.3))
    True
    """
    where = _place(scene, (0.0, 0.0), (WIDTH, HEIGHT)).silhouette
    if where.sum() < 1:
        return 0.0
    grey = render(scene) @ _GREY
    mean = float((grey * where).sum() / where.sum())
    return float(np.sqrt(((grey - mean) ** 2 * where).sum() / where.sum()))
