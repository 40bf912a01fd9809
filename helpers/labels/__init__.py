"""Label spaces as index maps, ground truth of the validation images, class names and prompts.

Every label and prediction of the book is an ILSVRC index (0..999, sorted wnids). Nothing here imports torch.
"""

from helpers.labels.decision import category_decision
from helpers.labels.prompts import PLAIN_TEMPLATE, prompt_digest, prompt_names, prompt_templates, simple_templates
from helpers.labels.spaces import (
    LABEL_SPACES,
    LabelSpace,
    candidate_space,
    folder_labels,
    label_space,
    make_label_space,
    mapped_space,
    sixteen_categories,
)
from helpers.labels.synthetic import pug_candidate_space, pug_index_map, pug_label_space
from helpers.labels.validation import class_names, real_labels, validation_labels, wnids

__all__ = [
    "LABEL_SPACES",
    "PLAIN_TEMPLATE",
    "LabelSpace",
    "candidate_space",
    "category_decision",
    "class_names",
    "folder_labels",
    "label_space",
    "make_label_space",
    "mapped_space",
    "prompt_digest",
    "prompt_names",
    "prompt_templates",
    "pug_candidate_space",
    "pug_index_map",
    "pug_label_space",
    "real_labels",
    "simple_templates",
    "sixteen_categories",
    "validation_labels",
    "wnids",
]  # fmt: skip
