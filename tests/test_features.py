"""Features of tasks with classes of their own: what is stored, read again, resumed, and refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from predict_tools import contents, pictures, tiny_paper, tiny_spec, tiny_weights

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("timm", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")

import fixtures_official  # noqa: E402
from fixtures_layouts import small_image, write_folder, write_shards  # noqa: E402

from helpers import models, predict, store, views  # noqa: E402
from helpers.errors import BookError, InputsUnavailable  # noqa: E402
from helpers.predict import Inputs, Network, Settings, compute, engine, merge_parts, run  # noqa: E402

QUIET = Settings(device="cpu", threads=1, workers=0, batch_size=4, progress=False)
MODELS = ("vit_sup", "vit_clip")
PETS = Inputs("vtab_pets", "paper.eval", MODELS)


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> dict:
    """Weights of the tiny four and a task as on the hub: 9 and 5 images, keys from s0000000 each."""
    folder = tmp_path_factory.mktemp("inputs")
    with pytest.MonkeyPatch.context() as patch:
        tiny_paper(patch)
        weights = tiny_weights(folder / "weights", MODELS)
    for split, n in (("train", 9), ("test", 5)):
        samples = [(small_image(100 * n + i, "WEBP"), (7 * i) % 37) for i in range(n)]
        write_shards(folder / "pets", split, samples, 4)
    return {**weights, "vtab_pets": folder / "pets"}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    tiny_paper(monkeypatch)
    monkeypatch.setitem(models.MODELS, "tiny", tiny_spec("tiny"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def plain(model: str, local: dict, dataset: list) -> tuple[np.ndarray, np.ndarray | None]:
    """Embeddings image by image, through the loaded model alone."""
    spec = models.MODELS[model]
    loaded = models.load(model, weights=local[spec.weights])
    view = views.make_view("paper.eval", models.preparation(spec))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (spec.mean, spec.std))
    pixels = [((torch.from_numpy(view.apply(image)).float() / 255 - mean) / std)[None] for image in dataset]
    found = [loaded.features(each) for each in pixels]
    before = None if found[0][1] is None else torch.cat([each for _, each in found]).numpy()
    return torch.cat([each for each, _ in found]).numpy(), before


def opened_images(local: dict, split: str) -> list:
    from helpers.datasets import open_dataset

    return [each.image for each in open_dataset("vtab_pets", local["vtab_pets"], split=split, stand_in=True)]


@pytest.mark.parametrize("model", MODELS)
def test_features_are_those_of_the_plain_network_in_fp16(model, local, monkeypatch):
    monkeypatch.setattr(models.LoadedModel, "head", property(lambda _: pytest.fail("built a head")))
    found = predict.features(PETS, model, "train", QUIET, local=local)
    embedding, before = plain(model, local, opened_images(local, "train"))
    assert (found.matrix.dtype, found.matrix.shape) == (np.float32, embedding.shape)
    np.testing.assert_allclose(found.matrix, embedding, rtol=2e-3, atol=1e-3)
    assert np.abs(found.matrix - embedding).max() > 0  # fp16 it is
    assert found.labels.tolist() == [(7 * i) % 37 for i in range(9)]
    assert found.frame.image_id.tolist() == [f"s{i:07d}" for i in range(9)]
    _, matrix, key = store.read_embeddings(model, "vtab_pets/train@local", "paper.eval")
    assert (matrix.dtype, key["facts"]["dtype"]) == (np.float16, "float16")
    assert not {"head", "label_space", "prompts"} & key["facts"].keys()
    if model == "vit_clip":
        np.testing.assert_allclose(np.linalg.norm(found.matrix, axis=1), 1, rtol=2e-3)
        other = predict.features(PETS, model, "train", QUIET, local=local, reading="before_projection")
        np.testing.assert_allclose(other.matrix, before, rtol=2e-3, atol=2e-3)
    assert "a stand-in was used" in found.partial[0]


def test_features_are_extracted_once_and_no_predictions_are_stored(local, monkeypatch):
    first = predict.features(PETS, "vit_sup", "train", QUIET, local=local)
    assert first.source == "computed (nothing stored)"
    assert not store.has_predictions("vit_sup", "vtab_pets/train@local", "paper.eval")
    monkeypatch.setattr(compute, "run", lambda *_, **__: pytest.fail("ran again"))
    again = predict.features(PETS, "vit_sup", "train", QUIET, local=local)
    assert again.source == "store hit"
    np.testing.assert_array_equal(again.matrix, first.matrix)
    job = predict.job_of(dataclasses.replace(PETS, dataset="vtab_pets/train"), "vit_sup", QUIET, None, local)
    assert predict.compute_all([job]).hits == ("vit_sup on vtab_pets/train@local",)
    assert compute.miss(dataclasses.replace(job, settings=dataclasses.replace(QUIET, precision="fp16")), "paper.eval")


def test_splits_with_equal_image_ids_stay_apart(local):
    train, test = (predict.features(PETS, "vit_sup", split, QUIET, local=local) for split in ("train", "test"))
    assert (len(train), len(test)) == (9, 5)
    assert set(test.frame.image_id) < set(train.frame.image_id)
    assert not (test.matrix[:, None] == train.matrix[None]).all(axis=2).any()


def test_a_validation_split_comes_from_official_files_and_not_from_shards(local, tmp_path):
    from helpers.probe import running

    assert [len(each) for each in running.splits_of(PETS, "vit_sup", QUIET, None, local)] == [9, 5]
    eurosat = Inputs("vtab_eurosat", "paper.eval", ("vit_sup",))
    images = write_folder(tmp_path / "eurosat", fixtures_official.eurosat())
    found = running.splits_of(eurosat, "vit_sup", QUIET, None, {**local, "vtab_eurosat": images})
    assert [len(each) for each in found] == [30, 10, 10]
    train, test, val = (set(each.frame.image_id) for each in found)
    assert not (train | test) & val


def test_what_a_model_has_not_and_what_is_not_here_is_said(local):
    with pytest.raises(BookError, match="a model with a projection, found pre-logits only"):
        predict.features(PETS, "vit_sup", "test", QUIET, local=local, reading="before_projection")
    with pytest.raises(BookError, match="reading 'logits' of features: expected one of probe"):
        predict.features(PETS, "vit_sup", "test", QUIET, local=local, reading="logits")
    with pytest.raises(InputsUnavailable):
        predict.features(PETS, "vit_sup", "train", QUIET)


def test_an_image_with_two_labels_is_refused():
    frame = pd.DataFrame({"image_id": ["a", "b"], "label": [[1], [2, 3]]})
    with pytest.raises(BookError, match="labels of toy: expected one label an image, found 2 for 'b'"):
        predict.features.__globals__["single_labels"](frame, "toy")


# Interruptions and damage


def features_of(network: Network, dataset, root, settings: Settings = QUIET):
    return run(network, dataset, ["paper.eval"], settings, root=root, features=True)


def test_an_interrupted_extraction_resumes_to_the_same_bytes(tmp_path, monkeypatch):
    network, dataset = Network("tiny", seed=0), pictures(14)
    settings = dataclasses.replace(QUIET, shard_rows=4)
    features_of(network, dataset, tmp_path / "whole", settings)
    real, calls = engine.forward, []

    def breaking(*given):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(engine, "forward", breaking)
    with pytest.raises(KeyboardInterrupt):
        features_of(network, dataset, tmp_path / "broken", settings)
    monkeypatch.setattr(engine, "forward", real)
    report = features_of(network, dataset, tmp_path / "broken", settings)
    assert (report.computed, report.reused) == (10, 4)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    assert features_of(network, dataset, tmp_path / "broken", settings).computed == 0


def test_parts_of_an_extraction_merge_to_the_whole(tmp_path):
    network, dataset = Network("tiny", seed=0), pictures(11)
    features_of(network, dataset, tmp_path / "whole")
    for part in (1, 2):
        features_of(network, dataset, tmp_path / "parts", dataclasses.replace(QUIET, shard=(part, 2)))
    assert merge_parts(tmp_path / "parts") == ["tiny on toy under paper.eval: 11 images"]
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_damaged_features_are_refused(local):
    predict.features(PETS, "vit_sup", "test", QUIET, local=local)
    place = store.predictions.locate("vit_sup", "vtab_pets@local", "paper.eval", None, "embeddings")
    path = place.folder / f"{place.stem}.embedding.npy"
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)
    with pytest.raises(BookError, match=r"paper.eval.embedding.npy: expected .* bytes with sha256"):
        predict.features(PETS, "vit_sup", "test", QUIET, local=local)
    path.unlink()
    assert predict.features(PETS, "vit_sup", "test", QUIET, local=local).source == "computed (nothing stored)"


def test_nan_features_are_never_stored(tmp_path):
    network = Network("tiny", seed=0)
    loaded = predict.passes.at_size(network, 224, predict.settings.resolved(QUIET))
    with torch.no_grad():
        next(loaded.network.parameters()).fill_(float("nan"))
    with pytest.raises(BookError, match=r"of tiny under paper\.eval on toy .*found NaN"):
        features_of(network, pictures(3), tmp_path)
    assert not store.has_embeddings("tiny", "toy", "paper.eval", tmp_path)


def test_a_benchmark_keeps_its_predictions_and_gives_fp32_features(local, tmp_path):
    """Of a dataset with the head's classes nothing is extracted besides: its base view has embeddings already."""
    run(Network("tiny", seed=0), pictures(4), ["paper.eval"], QUIET, root=tmp_path)
    assert store.has_predictions("tiny", "toy", "paper.eval", tmp_path)
    assert store.read_embeddings("tiny", "toy", "paper.eval", root=tmp_path)[1].dtype == np.float32
