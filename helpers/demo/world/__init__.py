"""The drawn world: OpenMoji drawings in 64 fine classes, laid over with materials, rendered from a seed.

`demo_set(name)` gives a set, `sample_scene` and `apply_factor` compose scenes, `render` draws one.
"""

from helpers.demo.world.backdrops import BUSY, QUIET, WORLDS
from helpers.demo.world.captions import (
    NAMED,
    NEVER_NAMED,
    PROMPT_TEMPLATES,
    caption,
    prompts,
    vocabulary,
    world_words,
)
from helpers.demo.world.classes import (
    ATTRIBUTION,
    N_CATEGORIES,
    N_FINE,
    RENDITION_CLASSES,
    categories,
    category_indices,
    category_of,
    class_names,
    drawings,
    rendition_mask,
)
from helpers.demo.world.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from helpers.demo.world.exemplars import exemplar_columns
from helpers.demo.world.materials import CATEGORY_OF, MATERIAL_OF, MATERIALS, PATTERNS
from helpers.demo.world.relabelled import second_look
from helpers.demo.world.rendering import measure, render
from helpers.demo.world.robust_sets import ADVERSARIAL_CLASSES
from helpers.demo.world.scene import (
    HEIGHT,
    OBJECT_OCCLUDERS,
    PALETTES,
    PERSON_OCCLUDERS,
    TINTS,
    WIDTH,
    Scene,
    layout,
    one_of,
    sample_scene,
    spawn,
)
from helpers.demo.world.set_tables import factor_table, set_hash
from helpers.demo.world.sets import SETS, DemoSet, Item, demo_set, factors
from helpers.demo.world.sheets import contact_sheet
from helpers.demo.world.showing import shown, standing_out, visible_classes
from helpers.demo.world.styles import STYLES, TRAINED_STYLES
from helpers.demo.world.top_factors import FACTORS, SLOTS, apply_factor, far_palettes, neighbours, with_variant

__all__ = [
    "ADVERSARIAL_CLASSES",
    "ATTRIBUTION",
    "BUSY",
    "CATEGORY_OF",
    "CORRUPTIONS",
    "FACTORS",
    "HEIGHT",
    "MATERIALS",
    "MATERIAL_OF",
    "NAMED",
    "NEVER_NAMED",
    "N_CATEGORIES",
    "N_FINE",
    "OBJECT_OCCLUDERS",
    "PALETTES",
    "PATTERNS",
    "PERSON_OCCLUDERS",
    "PROMPT_TEMPLATES",
    "QUIET",
    "RENDITION_CLASSES",
    "SETS",
    "SEVERITIES",
    "SLOTS",
    "STYLES",
    "TINTS",
    "TRAINED_STYLES",
    "WIDTH",
    "WORLDS",
    "DemoSet",
    "Item",
    "Scene",
    "apply_factor",
    "caption",
    "categories",
    "category_indices",
    "category_of",
    "class_names",
    "contact_sheet",
    "corrupt",
    "demo_set",
    "drawings",
    "exemplar_columns",
    "factor_table",
    "factors",
    "far_palettes",
    "layout",
    "measure",
    "neighbours",
    "one_of",
    "prompts",
    "render",
    "rendition_mask",
    "sample_scene",
    "second_look",
    "set_hash",
    "shown",
    "spawn",
    "standing_out",
    "visible_classes",
    "vocabulary",
    "with_variant",
    "world_words",
]
