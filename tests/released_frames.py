"""For the tests of metrics and stats: the released files of the mirror, read with plain pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers.labels import validation_labels

HOST = "raw.githubusercontent.com"
CUE_CONFLICT = (
    f"{HOST}/kirill-vish/Beyond-INet/44b4738bd7bac7a077160ee668823bcf0c668850/"
    "inference/modelvshuman/raw-data/cue-conflict"
)
IMAGENET_X = f"{HOST}/facebookresearch/imagenetx/6403d41a5cc435543a63060e336bc2452e3ad223"
PREDICTIONS = f"{IMAGENET_X}/model_predictions/base"
TESTBED = f"{IMAGENET_X}/results/val/top_factor/imagenet_testbed/class/accuracies_per_factor.csv"

OBSERVERS = {
    "convnext_sup": "convnext-base-21k_session-1", "vit_sup": "deit3-21k_session-1",
    "convnext_clip": "convnext-clip_session-1", "vit_clip": "vit-clip_session-1",
    "convnext_in1k": "convnext-base_session-1", "vit_in1k": "deit3_session-1",
    "convnextv2": "convnextv2-base_session-1", "mae": "mae_session-1", "resnet50_tv": "tv-resnet50_session-1",
    **{f"human_{i:02d}": f"subject-{i:02d}_session_1" for i in range(1, 11)},
}  # fmt: skip
FILES = {"resnet50": "ResNet50", "vit": "ViT", "simclr": "SimCLR", "dino": "DINO"}


def decisions(mirror: Path, *observers: str) -> dict[str, pd.DataFrame]:
    """Decisions frames of the observers asked for, or of all."""
    found = {}
    for key in observers or OBSERVERS:
        path = mirror / CUE_CONFLICT / f"cue-conflict_{OBSERVERS[key]}.csv"
        table = pd.read_csv(path, keep_default_na=False)
        image = table.imagename.str.extract(r"([a-z]+\d+-[a-z]+\d+\.png)$")[0]
        cues = image.str.extract(r"^([a-z]+)\d+-([a-z]+)\d+")
        columns = {"image_id": image, "shape": cues[0], "texture": cues[1], "decision": table.object_response}
        found[key] = pd.DataFrame(columns)
    return found


def predictions(mirror: Path, *models: str) -> dict[str, pd.DataFrame]:
    """Predictions frames of the models asked for, or of all four."""
    labels, found = validation_labels(), {}
    for key in models or FILES:
        table = pd.read_csv(mirror / PREDICTIONS / f"{FILES[key]}.csv")
        columns = {
            "image_id": table.file_name, "label": [[label] for label in labels[table.file_name].tolist()],
            "pred": table.predicted_class, "confidence": table.predicted_probability,
        }  # fmt: skip
        found[key] = pd.DataFrame(columns)
    return found
