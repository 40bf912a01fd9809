"""The table of demo tasks: to add one, add one entry to `TASKS`, and its pictures to `PICTURES` if no set has them."""

from __future__ import annotations

from functools import cache, partial

from helpers.demo.tasks import crops, scenes
from helpers.demo.tasks.spec import Pictures, PictureSet, Task
from helpers.demo.world import MATERIALS, PALETTES, WORLDS, world_words
from helpers.errors import BookError

OPENMOJI, SKIMAGE = "drawn here from OpenMoji", "photographs that come with scikit-image"
CELL = "cell of a photograph"
NOUNS = ("car", "house", "cat", "bottle", "shoe", "chair", "clock", "boat")  # things that zero-shot sentences name


def _drawn(title: str, make, name: str, train: int, test: int) -> PictureSet:
    return PictureSet(
        title,
        partial(scenes.drawn, make, name),
        {"train": train, "test": test},
        OPENMOJI,
        "image",
        partial(scenes.asked, make),
    )


def _cropped(title: str, make, train: int, test: int) -> PictureSet:
    return PictureSet(title, make, {"train": train, "test": test}, SKIMAGE, CELL)


PICTURES: dict[str, PictureSet] = {
    "things": _drawn("Single things", scenes.thing_scene, "things", 500, 400),
    "crowds": _drawn("One to five things", scenes.crowd_scene, "crowds", 400, 300),
    "unseen": _drawn("Drawings of other categories", scenes.unseen_scene, "unseen", 400, 300),
    "photographs": _cropped("Photographs", crops.photographs, 300, 250),
    "instruments": _cropped("Scientific pictures", crops.instruments, 300, 250),
    "surfaces": _cropped("Surfaces", crops.magnified, 300, 250),
    "tissue": _cropped("Stained tissue", crops.tissue, 300, 250),
    "digits": PictureSet("Digits", crops.digits, {"train": 400, "test": 300}, "scikit-learn", "image"),
    "faces": PictureSet("Faces and backgrounds", crops.faces, {"train": 100, "test": 100}, SKIMAGE, "image"),
}


def _sentences(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.format(noun) for noun in NOUNS)


_CELLS = tuple(f"{row} {column}" for row in ("top", "middle", "bottom") for column in ("left", "centre", "right"))

TASKS: dict[str, Task] = {
    "digits": Task("Digits", "natural", "digits", tuple("0123456789"), False, "which digit is written"),
    "photographs": Task("Photographs", "natural", "photographs", crops.PHOTOGRAPHS, False,
                        "which photograph a grey crop is from"),
    "faces": Task("Faces", "natural", "faces", ("background", "face"), False, "face or background"),
    "drawings": Task("Unseen drawings", "natural", "unseen", tuple(scenes.UNSEEN), False,
                     "which of ten categories that the twins never saw"),
    "background": Task("Background world", "natural", "things", WORLDS, True, "which backdrop",
                       tuple(world_words()[world] for world in WORLDS), _sentences("a drawing of a {} {{c}}")),
    "material": Task("Material", "natural", "things", tuple(MATERIALS), True, "which material covers the thing",
                     tuple(m.word for m in MATERIALS.values()), _sentences("a drawing of a {{c}} {}")),
    "instruments": Task("Instrument", "specialized", "instruments", tuple(crops.INSTRUMENTS), False,
                        "which scientific instrument took the picture"),
    "tissue": Task("Tissue stain", "specialized", "tissue", ("less stain", "more stain"), False,
                   "more or less brown stain in the middle"),
    "magnification": Task("Magnification", "specialized", "surfaces", tuple(f"{step} px" for step in crops.STEPS),
                          False, "how far away a surface is seen"),
    "count": Task("Count", "structured", "crowds", tuple(str(n + 1) for n in range(scenes.COUNTS)), False,
                  "how many things"),
    "position": Task("Position", "structured", "things", _CELLS, False, "in which ninth of the picture the thing is"),
    "orientation": Task("Orientation", "structured", "things",
                        tuple(f"{360 * turn // scenes.TURNS} degrees" for turn in range(scenes.TURNS)), False,
                        "by how much the thing is turned"),
    "distance": Task("Distance", "structured", "things", tuple(f"distance {d + 1}" for d in range(scenes.DISTANCES)),
                     False, "how far away (how small) the thing is"),
    "colour": Task("Colour", "structured", "things", tuple(PALETTES), True, "which colour the thing has",
                   tuple(PALETTES), _sentences("a drawing of a {{c}} {}")),
}  # fmt: skip


def task(name: str) -> Task:
    """The entry of TASKS. Raises BookError for an unknown name.

    >>> task("count").classes
    ('1', '2', '3', '4', '5')
    """
    if name not in TASKS:
        raise BookError(f"demo task {name!r}", f"one of {', '.join(TASKS)}", "correct the name")
    return TASKS[name]


def shared(name: str) -> tuple[str, ...]:
    """The tasks that are asked about the same pictures as this one, in the order of the table; itself among them.

    >>> shared("position")[0], shared("count")
    ('background', ('count',))
    """
    return tuple(other for other, each in TASKS.items() if each.pictures == task(name).pictures)


@cache
def classes_of_images(name: str) -> dict[str, int]:
    """Class of every image of a task of drawn pictures, by image id, both splits; nothing is drawn.

    Raises BookError for a task whose classes are known from its pictures alone.

    >>> classes_of_images("position")["things_train_0000"] in range(9)
    True
    """
    found = PICTURES[task(name).pictures]
    if found.asked is None:
        raise BookError(f"classes of {name!r}", "a task of drawn pictures", "open its pictures")
    return {
        f"{task(name).pictures}_{split}_{index:04d}": label
        for split, n in found.n.items()
        for index, label in enumerate(found.asked(split, n)[name])
    }


@cache
def pictures(name: str, split: str) -> Pictures:
    """All pictures of a split, made once in a process.

    >>> pictures("faces", "test").pixels.shape
    (100, 80, 96, 3)
    """
    if name not in PICTURES:
        raise BookError(f"pictures {name!r}", f"one of {', '.join(PICTURES)}", "correct the name")
    found = PICTURES[name]
    if split not in found.n:
        raise BookError(f"pictures {name!r}, split {split!r}", f"one of {', '.join(found.n)}", "choose one of them")
    return found.make(split, found.n[split])
