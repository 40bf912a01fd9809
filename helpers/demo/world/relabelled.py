"""The counterpart of ReaL: what a second look says about each picture of `val`.

Every thing that shows well enough is a right answer, and a picture in which nothing can be judged has none:

- a thing counts if at least half of it shows; the labelled one needs LEAST_SHOWN, as it is all there is to go by
- where it is very dark or washed out, the labelled thing must also stand out by LEAST_CONTRAST grey levels
"""

from __future__ import annotations

from helpers.demo.world.scene import Scene
from helpers.demo.world.showing import HALF, shown, standing_out

LEAST_SHOWN = 0.7
LEAST_CONTRAST = 20.0  # standard deviation of grey over the thing, of 255
ORDINARY_LIGHT = (0.5, 1.5)  # brightness within which a thing stands out well enough


def second_look(scene: Scene) -> tuple[int, ...]:
    """Fine classes that are right for a scene of `val`, perhaps none.

    >>> second_look(Scene(fine=13, material="feathers", others=((60, 0.2, 0.2, 0.3),)))
    (13, 60)
    >>> second_look(Scene(fine=13, material="feathers", brightness=0.05))
    ()
    """
    dim = not ORDINARY_LIGHT[0] <= scene.brightness <= ORDINARY_LIGHT[1]
    if dim and standing_out(scene) < LEAST_CONTRAST:
        return ()
    least = [LEAST_SHOWN] + [HALF] * (len(scene.copies) + len(scene.others))
    found = (fine for (fine, share), enough in zip(shown(scene), least, strict=True) if share >= enough)
    return tuple(dict.fromkeys(found))
