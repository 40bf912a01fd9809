"""CKA of networks on images: what is stored and found again, resuming, what is missing, the rows and the figures."""

import numpy as np
import pytest

from helpers import results, similarity, stats, store, words
from helpers.datasets import in_memory
from helpers.errors import BookError, InputsUnavailable
from helpers.models import MODELS
from helpers.predict import Inputs, Settings
from helpers.rows import select
from helpers.similarity import jobs
from helpers.similarity.hsic import gram

torch = pytest.importorskip("torch", reason="needs the extra `models`")

MODELS_HERE = ("twin_vit_sup", "twin_vit_clip", "twin_convnext_sup")
QUIET = Settings(device="cpu", progress=False, threads=2)
INPUTS = Inputs("demo_val", "paper.eval", MODELS_HERE)


@pytest.fixture
def compute_module():
    import sys

    return sys.modules["helpers.similarity.compute"]


@pytest.fixture
def random_twins(monkeypatch, compute_module):
    """Twins with random weights, on 40 noise images under the name of the drawn set; counts what is loaded."""
    from helpers.predict import Network, keys, sources

    pixels = np.random.default_rng(0).integers(0, 256, (40, 80, 96, 3), dtype=np.uint8)
    toy = in_memory("demo_val", pixels, [[0]] * 40, [f"{i:03d}" for i in range(40)])
    loaded = []

    def network_of(model, local=None):
        loaded.append(model)
        return Network(model, None, 0)

    monkeypatch.setattr(compute_module, "network_of", network_of)
    monkeypatch.setattr(sources, "open_source", lambda *_, **__: sources.Source(toy, None, {"artifacts": {}}))
    monkeypatch.setattr(sources, "hashes", lambda *_: None)
    monkeypatch.setattr(keys, "published_weights", lambda *_: "random:0")
    return loaded


def collected(inputs=INPUTS, images=40, size=10, **more):
    return similarity.collect(inputs, images, size, QUIET, **more)


def test_every_two_models_are_compared_in_one_pass_and_found_again(random_twins):
    first = collected()
    assert sorted(random_twins) == sorted(MODELS_HERE)
    assert first.source == "computed (nothing stored)"
    assert not first.shortfalls()
    assert len(first.pairs) == 6
    again = collected()
    assert again.source == "store hit"
    assert len(random_twins) == 3
    for pair, found in first.pairs.items():
        np.testing.assert_array_equal(found.cross, again.pairs[pair].cross)
        assert found.cross.shape[0] == 4
        assert found.n == 40
    crossed = first.pairs["twin_vit_sup", "twin_convnext_sup"]  # as asked for, not as stored
    assert crossed.matrix().shape == (31, 82)
    assert next(iter(crossed.kinds[1])) == "stem.0"
    swapped = collected(Inputs("demo_val", "paper.eval", MODELS_HERE[::-1])).pairs["twin_convnext_sup", "twin_vit_sup"]
    np.testing.assert_array_equal(swapped.matrix(), crossed.matrix().T)
    np.testing.assert_allclose(np.diag(first.pairs["twin_vit_sup", "twin_vit_sup"].matrix()), 1)


def test_the_numbers_are_those_of_a_plain_loop(random_twins):
    """The whole way against: prepare the images, keep every activation, centre, multiply, average, divide."""
    from helpers import models, views
    from helpers.predict import keys, sources

    found = collected().pairs["twin_vit_sup", "twin_convnext_sup"]
    toy = sources.open_source("demo_val").dataset
    order = np.random.default_rng(jobs.SEED).permutation(40)
    names = ("blocks.2.mlp.fc1", "stages.2.blocks.1.conv_dw")
    outputs = []
    for model, name in zip(found.models, names, strict=True):
        network, view = models.load(model, random_init=True).network, keys.view_of(model, "paper.eval")
        pixels = torch.from_numpy(np.stack([view.apply(toy[int(i)].image) for i in order]))
        kept = []
        dict(network.named_modules())[name].register_forward_hook(lambda m, i, o, kept=kept: kept.append(o.numpy()))
        with torch.no_grad():
            network(views.normalise(pixels, view.preprocessing))
        outputs.append(kept[0])
    hsics = [
        [similarity.hsic(gram(a[i : i + 10]), gram(b[i : i + 10])) for i in range(0, 40, 10)]
        for a, b in ((outputs[0], outputs[1]), (outputs[0], outputs[0]), (outputs[1], outputs[1]))
    ]
    cross, first, second = (np.mean(each) for each in hsics)
    place = [list(kinds).index(name) for kinds, name in zip(found.kinds, names, strict=True)]
    assert found.matrix()[place[0], place[1]] == pytest.approx(cross / np.sqrt(first * second), rel=1e-3)


def test_only_missing_pairs_are_computed_and_other_batches_are_other_numbers(random_twins):
    collected(Inputs("demo_val", "paper.eval", MODELS_HERE[:2]))
    random_twins.clear()
    found = collected(Inputs("demo_val", "paper.eval", MODELS_HERE))
    assert len(found.pairs) == 6
    other = collected(Inputs("demo_val", "paper.eval", MODELS_HERE[:1]), size=20)
    assert other.source == "computed (facts.asked.batch_size: stored 10, asked for 20)"
    assert len(next(iter(other.pairs.values())).cross) == 2
    part = collected(Inputs("demo_val", "paper.eval", MODELS_HERE[:1]), max_images=20)
    assert part.source == "computed (nothing stored)"
    assert part.shortfalls() == {"demo_val": "20 of the 40 images that the profile names"}


@pytest.mark.parametrize("change", ["LAYERS", "FLATTENED", "ORDER"])
def test_what_changes_a_number_changes_the_key(change, random_twins, monkeypatch):
    one = Inputs("demo_val", "paper.eval", MODELS_HERE[:1])
    collected(one)
    if change == "LAYERS":
        monkeypatch.setitem(jobs.LAYERS, "vit", {**jobs.LAYERS["vit"], "linear": ("head",)})
    else:
        monkeypatch.setattr(jobs, change, "otherwise")
    assert collected(one).source.startswith("computed (facts.")


def test_an_interrupted_run_goes_on_where_it_stopped(random_twins, monkeypatch, compute_module):
    one, seen, real = Inputs("demo_val", "paper.eval", MODELS_HERE[:1]), [], compute_module.layer_grams

    def interrupted(network, layers, images):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(len(images))
        return real(network, layers, images)

    monkeypatch.setattr(compute_module, "layer_grams", interrupted)
    with pytest.raises(KeyboardInterrupt):
        collected(one)
    parts = sorted(store.batches.paths.store_dir().rglob("batch-*.npy"))
    assert len(parts) == 2
    parts[0].write_bytes(parts[0].read_bytes()[:-1] + b"x")  # damaged: is made again
    monkeypatch.setattr(compute_module, "layer_grams", lambda *a: seen.append(0) or real(*a))
    resumed = next(iter(collected(one).pairs.values())).cross
    assert seen == [10, 10, 0, 0, 0]
    assert not list(store.batches.paths.store_dir().rglob("batch-*.npy"))
    store.batches.shutil.rmtree(store.batches.paths.store_dir())
    np.testing.assert_array_equal(next(iter(collected(one).pairs.values())).cross, resumed)


def test_a_damaged_matrix_is_an_error_and_not_a_number(random_twins):
    one = Inputs("demo_val", "paper.eval", MODELS_HERE[:1])
    collected(one)
    (path,) = store.batches.paths.store_dir().rglob("*.hsic.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(BookError, match="sha256"):
        collected(one)


def test_what_cannot_be_had_is_named_and_the_rest_runs(random_twins, monkeypatch, compute_module):
    real = compute_module.network_of

    def without(model, local=None):
        if model == "twin_vit_clip":
            raise InputsUnavailable("weights of twin_vit_clip", "a file, found none", "train it")
        return real(model)

    monkeypatch.setattr(compute_module, "network_of", without)
    found = collected(Inputs("demo_val", "paper.eval", (*MODELS_HERE, "resnet50_tv")))
    assert "family 'resnet'" in found.missing["resnet50_tv"]
    assert "train it" in found.missing["twin_vit_clip"]
    assert set(found.pairs) == {
        ("twin_vit_sup",) * 2,
        ("twin_vit_sup", "twin_convnext_sup"),
        ("twin_convnext_sup",) * 2,
    }


def test_too_few_images_are_refused():
    assert jobs.cut(50_000, 2_560, 256) == (256, 10)
    assert jobs.cut(24, 2_560, 256) == (12, 2)
    for n, batch_size in ((7, 256), (100, 3)):
        with pytest.raises(InputsUnavailable, match="at least 8"):
            jobs.cut(n, 2_560, batch_size)


def test_a_run_on_too_few_images_is_not_run_and_says_why(random_twins):
    found = collected(images=5)
    assert not found.pairs
    assert set(found.missing) == set(MODELS_HERE)
    assert all("at least 8 images" in why and "found 5" in why for why in found.missing.values())
    rows = stats.similarity_rows(found.pairs, found.dataset, found.view)
    run = results.Run("09_similarity", "nowhere", {}, {})
    _, rows, status, reason = results.or_recorded(run, rows, found.shortfalls())
    assert (len(rows), status) == (0, "unavailable")
    assert "found 5" in words.similarity.not_computed(reason)


# Rows and words, from planted numbers


def model_with(hsic, name="vit_sup", kind="attention"):
    kinds = {f"blocks.{i}.attn": kind for i in range(hsic.shape[1])}
    return similarity.within(name, "vit", kinds, hsic, 8)


def test_thirds_and_same_depth_by_hand():
    """Six layers whose CKA is 1 / (1 + distance); early-late pairs lie 2 to 5 apart: distances 4, 5, 3, 4."""
    distance = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    hsic = np.stack([(2.0 + k) / (1 + distance) for k in range(3)])
    first, second = model_with(hsic), model_with(hsic, "vit_clip")
    pairs = {("vit_sup",) * 2: first, ("vit_clip",) * 2: second}
    pairs["vit_sup", "vit_clip"] = similarity.between(first, second, hsic)
    rows = stats.similarity_rows(pairs, "toy", contrasts=[("vit_clip", "vit_sup")])
    value = select(rows, metric="cka").set_index(["model", "group"]).value
    assert value["vit_sup", "attention: early ~ late"] == pytest.approx((1 / 5 + 1 / 6 + 1 / 4 + 1 / 5) / 4)
    assert value["vit_sup", "attention: early ~ early"] == pytest.approx(1 / 2)  # a layer with itself is left out
    assert value["vit_sup ~ vit_clip", "attention: early ~ early"] == pytest.approx((1 + 1 + 1 / 2 + 1 / 2) / 4)
    assert value["vit_sup ~ vit_clip", "attention: same depth"] == pytest.approx(1)
    assert value["vit_clip - vit_sup", "attention: early ~ late"] == pytest.approx(0)
    assert select(rows, metric="layers", model="vit_sup", group="attention").value.tolist() == [6]
    assert "middle ~ early" not in "".join(rows.group[rows.model == "vit_sup"])


def test_a_negative_own_hsic_gives_no_number_and_says_why():
    hsic = np.tile(np.eye(4) + 0.3, (3, 1, 1))
    hsic[:, 3, 3] = (0.5, -1.0, -0.2)
    found = model_with(hsic)
    assert np.isnan(found.matrix()[3]).all()
    assert found.undefined() == {"vit_sup: blocks.3.attn": "unbiased HSIC with itself -0.233, not positive"}
    rows = stats.similarity_rows({("vit_sup",) * 2: found}, "toy")
    value = rows.set_index("group").loc["attention: early ~ late"]
    assert np.isnan(value.value)
    assert np.isnan(value.ci_low)
    assert rows.set_index("group").loc["attention: early ~ middle"].value == pytest.approx(0.3 / 1.3)
    whole = similarity.Collected(("vit_sup",), "toy", "paper.eval", {("vit_sup",) * 2: found})
    assert "not positive" in whole.shortfalls()["vit_sup: blocks.3.attn"]


def test_the_difference_of_two_models_is_paired_over_batches():
    """Batches that move both models alike move the difference less than unpaired intervals would say."""
    rng = np.random.default_rng(0)
    shared = 0.5 + 0.1 * rng.standard_normal(8)
    hsics = [np.stack([np.eye(3) * (1 - s) + s for s in shared + shift]) for shift in (0.0, 0.1)]
    pairs = {(name, name): model_with(hsic, name) for name, hsic in zip(("vit_sup", "vit_clip"), hsics, strict=True)}
    rows = stats.similarity_rows(pairs, "toy", contrasts=[("vit_clip", "vit_sup")]).set_index(["model", "group"])
    width = rows.ci_high - rows.ci_low
    group = "attention: early ~ late"
    assert rows.value["vit_clip - vit_sup", group] == pytest.approx(0.1)
    assert width["vit_clip - vit_sup", group] < 0.1 * width["vit_sup", group]


def test_figures_and_words_of_a_run(random_twins):
    import matplotlib.pyplot as plt

    from helpers import plots

    found = collected()
    rows = stats.similarity_rows(found.pairs, found.dataset, found.view, stats.all_pairs(found.models))
    drawn = plots.similarity.figures(found.pairs, "(demo: drawn world)")
    titles = [each.get_suptitle() for each in drawn]
    assert titles == [
        "ViT: layers of one model (demo: drawn world)", "ConvNeXt: layers of one model (demo: drawn world)",
        "One architecture, two models (demo: drawn world)", "One paradigm, two architectures (demo: drawn world)",
    ]  # fmt: skip
    images = [image for ax in drawn[0].axes for image in ax.get_images()]
    assert len(images) == 8
    assert {image.get_clim() for image in images} == {(0, 1)}
    ax = plots.similarity.early_late(rows, found.models)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["all", "conv", "attention", "linear", "norm"]
    plt.close("all")
    assert "40 images" in words.similarity.this_run(rows, found.models, "demo")
    table = words.similarity.same_depth(rows)
    assert len(table) == 3
    assert table.loc["ViT-sup twin with ConvNeXt-sup twin", "conv"] == "–"
    assert words.similarity.differences(rows).count("\n") == 2
    assert "Not run" in words.similarity.answer(rows.iloc[:0], (), "released")


def test_layer_counts_of_a_run_stand_beside_the_papers():
    from helpers.rows import rows_frame

    rows = rows_frame([dict(model="vit_sup", metric="layers", group="linear", value=25.0, unit="count")])
    table = words.similarity.layers(rows).set_index(["model", "panel"])["in this run"]
    assert table[MODELS["vit_sup"].label, "linear"] == "25"
    assert table[MODELS["vit_sup"].label, "norm"] == "not run"
