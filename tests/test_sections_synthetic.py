"""Sections 07 and 08 end to end: archives of the official layouts, a real network, the command line, the records."""

import numpy as np
import pandas as pd
import pytest
from fixtures_images import drawn_photograph, encoded
from fixtures_layouts import PUG_COLUMNS, pug_class_map, pug_row, write_tar
from predict_tools import fake_validation

from helpers import cli, results, store

pytest.importorskip("torch", reason="needs the extra `models`")
MODEL = "efficientnet_lite0"
N = 5


def fake_pug(path):
    """A compressed tar as the published one: two assets, two worlds, one camera angle and a class without an index."""
    rows = [
        pug_row(name, filename=f"{folder}/{name}/{name}_{at}.png", **changes)
        for name in ("Goldfish", "Shirt")
        for at, (folder, changes) in enumerate(
            [("Worlds", {"world_name": "Moon"}), ("Worlds", {}), ("Camera_Yaw", {"camera_yaw": 45})]
        )
    ]
    table = pd.DataFrame(rows)[["filename", *PUG_COLUMNS]].to_csv(index=False).encode()
    images = {f"PUG/{row['filename']}": encoded(drawn_photograph(90, 90, i), "PNG") for i, row in enumerate(rows)}
    return write_tar(path, {"PUG/labels_pug_imagenet.csv": table, **images}, "w:gz")


def done(arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 0


@pytest.mark.slow
def test_both_sections_run_on_small_files_of_the_true_layouts(tmp_path, capsys):
    stand_ins = {
        "imagenet1k_val": fake_validation(tmp_path / "val.tar", N),
        "pug_imagenet": fake_pug(tmp_path / "PUG_IMAGENET.tar.gz"),
        "pug_class_map": pug_class_map(tmp_path / "class_to_imagenet_idx.json"),
    }
    given = [f"{name}={path}" for name, path in stand_ins.items()]
    command = ["run", "--profile", "paper", "--models", MODEL, "--only", "07", "08", "--local", *given]
    done(command)
    said = capsys.readouterr().out
    assert f"{MODEL} on imagenet1k_val@local: {N} images" in said
    synthetic, invariance = (results.load(section, "paper") for section in ("07_synthetic", "08_invariance"))
    assert synthetic.status == invariance.status == "partial"
    assert "stand-in was used for pug_imagenet" in synthetic.reason

    rows = synthetic.rows.set_index(["metric", "group", "resampled"])
    assert set(synthetic.rows.metric) == {"accuracy", "accuracy_among_classes", "mapped_predictions"}
    assert {"Worlds", "Camera_Yaw", "Camera_Yaw:45", "Worlds:Moon", "mean_of_2", "overall"} <= set(synthetic.rows.group)
    assert rows.loc[("accuracy", "Worlds", "asset x background"), "n"] == 4
    predictions = store.read_predictions(MODEL, "pug_imagenet@local", "paper.eval")[0]
    assert predictions.level.tolist() == ["45", "45", "Moon", "Desert", "Moon", "Desert"]
    lost = predictions.label.map(len) == 0
    expected = 100 * np.mean([p in label for p, label in zip(predictions.pred, predictions.label, strict=True)])
    assert rows.loc[("accuracy", "overall", "asset"), "value"] == pytest.approx(expected)
    assert lost.sum() == 3
    # By the paper's rule no Shirt can be right, whatever the network says.
    assert rows.loc[("accuracy", "overall", "asset"), "value"] <= 50

    views = set(invariance.rows["view"])
    assert len(views) == 16
    for view in ("paper.scale-3", "paper.shift-100", "paper.resolution-640"):
        frame = store.read_predictions(MODEL, "imagenet1k_val@local", view)[0]
        base = store.read_predictions(MODEL, "imagenet1k_val@local", "paper.eval")[0]
        mine = results.select(invariance.rows, view=view).set_index("metric").value
        assert mine["probability"] == pytest.approx(frame.p_true.mean())
        assert mine["consistency"] == pytest.approx((frame.pred == base.pred).mean())
    assert set(invariance.rows.resampled) == {"source image"}
    done(command)
    assert "0 executed, 2 reused" in capsys.readouterr().out
