"""Transfer tasks of the demo, in VTAB's three groups: real pictures from packages, and factors of the drawn world.

None of what they ask for was a label in the training of the twins.
"""

from helpers.demo.tasks.spec import GROUPS, Pictures, PictureSet, Task
from helpers.demo.tasks.table import PICTURES, TASKS, classes_of_images, pictures, shared, task

__all__ = [
    "GROUPS", "PICTURES", "TASKS", "PictureSet", "Pictures", "Task", "classes_of_images", "pictures", "shared", "task",
]  # fmt: skip
