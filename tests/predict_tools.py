"""Small networks under the table's keys, small datasets, and fake archives in the official layouts."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

import numpy as np
from fixtures_images import drawn_photograph, encoded
from fixtures_layouts import write_tar

from helpers import labels, models, store
from helpers.datasets import Dataset, in_memory

TINY = {"convnext": "test_convnext.r160_in1k", "vit": "test_vit.r160_in1k"}
_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
TINY_CLIP = {
    "convnext": {"image_size": 224, "timm_model_name": "test_convnext", "timm_proj": "linear"},
    "vit": {"image_size": 224, "layers": 1, "width": 64, "patch_size": 32},
}


def tiny_spec(key: str, like: str = "convnext_sup") -> models.ModelSpec:
    """The spec of a model of the table with a network of some 0.3 million parameters in its place."""
    spec = models.MODELS[like]
    if spec.backend == "open_clip":
        return dataclasses.replace(spec, key=key, architecture=_tiny_clip(spec.family))
    name = TINY[spec.family]
    return dataclasses.replace(spec, key=key, architecture=name.split(".")[0], checkpoint=name)


def _tiny_clip(family: str) -> str:
    import open_clip

    name = f"tiny_clip_{family}"
    if name not in open_clip.list_models():
        path = Path(tempfile.mkdtemp()) / f"{name}.json"
        path.write_text(json.dumps({"embed_dim": 16, "vision_cfg": TINY_CLIP[family], "text_cfg": _TEXT}))
        open_clip.add_model_config(path)
    return name


def tiny_paper(patch) -> None:
    """Small networks under the keys of the paper's four; zero-shot heads from one template instead of 80."""
    for key in models.MODEL_SETS["paper"]:
        patch.setitem(models.MODELS, key, tiny_spec(key, key))
    patch.setattr(labels, "prompt_templates", lambda: ("a photo of a {}.",))


def tiny_weights(folder: Path, keys=models.MODEL_SETS["paper"], seed: int = 0) -> dict[str, Path]:
    """{manifest id: file} of random weights for the (tiny) models of these keys, as their authors publish them."""
    import torch

    from helpers.models.networks import build_clip, build_timm

    found = {}
    folder.mkdir(parents=True, exist_ok=True)
    for spec in (models.MODELS[key] for key in keys):
        build = build_timm if spec.backend == "timm" else build_clip
        found[spec.weights] = folder / f"{spec.key}.pth"
        torch.save(build(spec, None, spec.image_size, seed).state_dict(), found[spec.weights])
    return found


def pictures(n: int, seed: int = 0, labels_of: list[list[int]] | None = None, name: str = "toy") -> Dataset:
    """`n` drawn pictures in memory, 72 x 60 pixels, with one label each."""
    pixels = np.stack([np.asarray(drawn_photograph(72, 60, seed + i)) for i in range(n)])
    truth = labels_of or [[(37 * i) % 1000] for i in range(n)]
    return in_memory(name, pixels, truth, [f"image-{i:04d}" for i in range(n)])


def official_names(n: int) -> list[str]:
    """The first names of the validation set."""
    return list(labels.validation_labels().index[:n])


def fake_validation(path: Path, n: int, broken: tuple[int, ...] = ()) -> Path:
    """A flat tar as ImageNet's: official names, small JPEG files, those in `broken` cut off."""
    files = {name: encoded(drawn_photograph(80, 64, i)) for i, name in enumerate(official_names(n))}
    for i in broken:
        name = official_names(n)[i]
        files[name] = files[name][: len(files[name]) // 2]
    return write_tar(path, files)


def fake_imagenet_r(path: Path, n: int = 6) -> Path:
    """A tar in the layout of ImageNet-R with images of `n` classes."""
    folders = labels.label_space("imagenet_r").folders[::17][:n]
    names = [f"imagenet-r/{folder}/art_{i}.jpg" for i, folder in enumerate(folders)]
    return write_tar(path, {name: encoded(drawn_photograph(70, 90, 50 + i)) for i, name in enumerate(names)})


def fake_cue_conflict(path: Path) -> Path:
    """A compressed tar in the layout of the cue-conflict set: 224 x 224 PNG files, one without conflict."""
    pairs = [("airplane", 1, "bicycle", 2), ("bear", 3, "car", 1), ("cat", 2, "cat", 1), ("dog", 1, "oven", 3)]
    files = {
        f"cue-conflict/{shape}/{shape}{i}-{texture}{j}.png": encoded(drawn_photograph(224, 224, k), "PNG")
        for k, (shape, i, texture, j) in enumerate(pairs)
    }
    return write_tar(path, files, "w:gz")


def fake_inputs(folder: Path, n: int = 8) -> dict[str, Path]:
    """{manifest id: file}: weights of the (tiny) four, and small archives in the layouts of three sets."""
    return {
        **tiny_weights(folder / "weights"),
        "imagenet1k_val": fake_validation(folder / "val.tar", n),
        "imagenet_r": fake_imagenet_r(folder / "r.tar"),
        "cue_conflict": fake_cue_conflict(folder / "cue-conflict.tar.gz"),
    }


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a store by its path (zero-shot heads in their cache left out)."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "zero_shot" not in path.parts
    }


def rows_of(model: str, dataset: str, view: str, root: Path | None = None):
    """The stored frame."""
    return store.read_predictions(model, dataset, view, root)[0]
