"""CKA: the estimator by hand, by second implementations, by its properties; hooks against what libraries give."""

import numpy as np
import pytest

from helpers import similarity
from helpers.demo.planted import feature_pairs
from helpers.errors import BookError
from helpers.similarity.hsic import cka, gram, hsic, jackknife_interval, leave_one_out, packed, u_centred

RNG = np.random.default_rng


def dense(first, second, estimate=hsic):
    """CKA of two feature sets (n, p) and (n, q) in one piece, by the direct formula."""
    k, l = gram(first), gram(second)  # noqa: E741
    return estimate(k, l) / np.sqrt(estimate(k, k) * estimate(l, l))


def biased(k, l):  # noqa: E741
    """The usual HSIC with centring matrices: what the unbiased one must differ from."""
    n = len(k)
    centring = np.eye(n) - 1 / n
    return np.trace(k @ centring @ l @ centring) / (n - 1) ** 2


def in_batches(first, second, size):
    """CKA by the section's way: HSICs of batches, averaged; with the values without one batch each."""
    starts = range(0, len(first), size)
    parts = [np.stack([gram(each[i : i + size]) for each in (first, second)]) for i in starts]
    found = np.stack([similarity.all_hsics(part) for part in parts])
    own = np.diagonal(found, axis1=1, axis2=2)
    whole = cka(found.mean(0), own.mean(0), own.mean(0))[0, 1]
    left = [cka(*(leave_one_out(each) for each in (found, own, own)))[:, 0, 1]]
    return whole, left[0]


# The estimator


def test_a_case_worked_by_hand():
    """X = (0, 1, 0, -1)', Y = rows (1, 0), (0, 1), (0, 0), (-1, -1), both centred.

    K off the diagonal: only images 2 and 4 have a product, -1. L off the diagonal: 1-4 and 2-4 have -1, others 0.
    tr(KL) = 2 x (-1)(-1) = 2. 1'K1 = -2, 1'L1 = -4, so their term is 8 / (3 x 2) = 4/3. K1 = (0, -1, 0, -1),
    L1 = (-1, -1, 0, -2): 1'KL1 = 3, its term 2 / 2 x 3 = 3. HSIC = (2 + 4/3 - 3) / (4 x 1) = 1/12.
    K with itself: (2 + 4/6 - 2) / 4 = 1/6. L with itself: (4 + 16/6 - 6) / 4 = 1/6. CKA = 1/2.
    """
    x, y = np.array([[0.0], [1], [0], [-1]]), np.array([[1.0, 0], [0, 1], [0, 0], [-1, -1]])
    k, l = gram(x), gram(y)  # noqa: E741
    assert hsic(k, l) == pytest.approx(1 / 12)
    assert hsic(k, k) == pytest.approx(1 / 6)
    assert hsic(l, l) == pytest.approx(1 / 6)
    assert dense(x, y) == pytest.approx(0.5)
    assert similarity.all_hsics(np.stack([k, l])) == pytest.approx(np.array([[1 / 6, 1 / 12], [1 / 12, 1 / 6]]))


@pytest.mark.parametrize("n", [4, 5, 33])
def test_packed_vectors_agree_with_the_direct_formula(n):
    first, second = RNG(n).normal(size=(2, n, 7)) @ RNG(1).normal(size=(7, 7)) + 3.0
    k, l = gram(first), gram(second)  # noqa: E741
    assert packed(k) @ packed(l) == pytest.approx(hsic(k, l), rel=1e-9)
    # Uncentred Gram matrices give the same: a shift of features changes no HSIC.
    assert hsic(first @ first.T, second @ second.T) == pytest.approx(hsic(k, l), rel=1e-7)


def test_the_plain_formula_agrees_with_scikit_learns_centring():
    """tr(KHLH) from our centred features and from sklearn's KernelCenterer; and Song's identity with the unbiased."""
    from sklearn.preprocessing import KernelCenterer

    first, second = RNG(0).normal(size=(2, 20, 5))
    k, l = (KernelCenterer().fit_transform(each @ each.T) for each in (first, second))  # noqa: E741
    assert np.trace(k @ l) / 19**2 == pytest.approx(biased(gram(first), gram(second)), rel=1e-9)
    np.testing.assert_allclose(k, gram(first), atol=1e-9)


def test_the_unbiased_estimate_agrees_with_a_sum_over_quadruples():
    """HSIC as a U-statistic over every four different images: Song et al. 2012, the definition behind the formula."""
    from itertools import permutations

    first, second = RNG(2).normal(size=(2, 6, 3))
    k, l = gram(first), gram(second)  # noqa: E741
    terms = [k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q]) for i, j, q, r in permutations(range(6), 4)]
    assert np.mean(terms) == pytest.approx(hsic(k, l), rel=1e-9)


def test_a_set_with_itself_is_one_and_rotation_and_scale_change_nothing():
    first, other = RNG(0).normal(size=(2, 64, 12)) + RNG(1).normal(size=12)
    rotation = np.linalg.qr(RNG(2).normal(size=(12, 12)))[0]
    assert dense(first, first) == pytest.approx(1)
    assert dense(first, 1e-4 * first @ rotation) == pytest.approx(1)
    assert dense(first @ rotation, 7 * other) == pytest.approx(dense(first, other), rel=1e-9)
    skewed = first * np.linspace(0.1, 3, 12)  # no isotropic scale: this one must change it
    assert abs(dense(skewed, other) - dense(first, other)) > 1e-3
    assert dense(skewed, first) < 0.97


def test_independent_features_are_near_zero_only_by_the_unbiased_estimate():
    found = [dense(*RNG(seed).normal(size=(2, 64, 256))) for seed in range(20)]
    assert abs(np.mean(found)) < 0.01
    assert dense(*RNG(0).normal(size=(2, 64, 256)), estimate=biased) > 0.7


def test_batches_agree_with_the_whole_within_the_jackknifes_error():
    rng = RNG(5)
    first = rng.normal(size=(512, 40)) * np.linspace(0.2, 2, 40)
    second = np.tanh(first @ rng.normal(size=(40, 60))) + rng.normal(size=(512, 60))
    whole, (value, left) = dense(first, second), in_batches(first, second, 64)
    low, high = jackknife_interval(value, left)
    assert 0 < high - low < 0.1
    assert abs(value - whole) < (high - low)
    one, _ = in_batches(np.vstack([first, first]), np.vstack([second, second]), 512)
    assert one == pytest.approx(whole)  # one batch (twice) is the dense value
    ratios = [dense(first[i : i + 64], second[i : i + 64]) for i in range(0, 512, 64)]
    assert value != pytest.approx(np.mean(ratios), rel=1e-6)  # a ratio of means, no mean of ratios


def test_the_average_over_batches_is_unbiased_where_the_plain_estimate_is_not():
    mixed = next(pair for pair in feature_pairs(4096, RNG(0)) if pair.cka == 0.25)
    value, _ = in_batches(mixed.first, mixed.second, 64)
    assert value == pytest.approx(0.25, abs=0.02)
    small = [dense(mixed.first[i : i + 64], mixed.second[i : i + 64], biased) for i in range(0, 4096, 64)]
    assert np.mean(small) > 0.5


def test_the_intervals_cover_the_planted_similarity():
    inside = []
    for seed in range(120):
        mixed = next(pair for pair in feature_pairs(8 * 24, RNG(seed), width=16) if pair.cka == 0.75)
        value, left = in_batches(mixed.first, mixed.second, 24)
        low, high = jackknife_interval(value, left)
        inside.append(low <= 0.75 <= high)
    assert 0.88 <= np.mean(inside) <= 0.99


def test_too_small_batches_are_refused():
    with pytest.raises(BookError, match="at least 4"):
        u_centred(np.eye(3))
    with pytest.raises(BookError, match="at least 4"):
        hsic(np.eye(3), np.eye(3))
    with pytest.raises(BookError, match="at least two"):
        leave_one_out(np.ones((1, 3)))


# Layers

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from helpers import models  # noqa: E402
from helpers.models.names import ready  # noqa: E402
from helpers.models.networks import timm_network  # noqa: E402
from helpers.similarity.grams import layer_grams, tensor_gram  # noqa: E402
from helpers.similarity.layers import chosen, layers_of  # noqa: E402

COUNTS = {
    "convnext_sup": {"conv": 40, "linear": 73, "norm": 41, "all": 226},
    "convnext_clip": {"conv": 40, "linear": 73, "norm": 41, "all": 226},
    "vit_sup": {"attention": 12, "linear": 25, "norm": 25, "all": 87},
    "vit_clip": {"attention": 12, "linear": 24, "norm": 26, "all": 87},
    "twin_convnext_sup": {"conv": 16, "linear": 25, "norm": 17, "all": 82},
    "twin_vit_sup": {"attention": 4, "linear": 9, "norm": 9, "all": 31},
    "twin_convnext_clip": {"conv": 16, "linear": 25, "norm": 17, "all": 82},
    "twin_vit_clip": {"attention": 4, "linear": 10, "norm": 9, "all": 32},
}


def shapes_only(spec):
    """The image tower of a model on the meta device: its modules and shapes, without the seconds that weights take."""
    ready(spec)
    with torch.device("meta"):
        if spec.backend == "timm":
            return timm_network(spec, None, spec.image_size).eval()
        import open_clip

        config = open_clip.get_model_config(spec.architecture)
        return open_clip.model._build_vision_tower(config["embed_dim"], config["vision_cfg"]).eval()


@pytest.mark.parametrize("key", COUNTS)
def test_the_panels_have_the_papers_layers_and_a_forward_pass_finishes_them_in_this_order(key):
    from helpers.words.similarity import expected_layers

    spec = models.MODELS[key]
    network = shapes_only(spec)
    kinds = layers_of(network, spec.family)
    assert {panel: len(chosen(kinds, panel)) for panel in similarity.panels(spec.family)} == COUNTS[key]
    expected = expected_layers()
    for row in expected[expected.model == key].itertuples():
        assert COUNTS[key][row.panel] == row.expected
    fired = []
    modules = dict(network.named_modules())
    for name in kinds:
        modules[name].register_forward_hook(lambda *_, name=name: fired.append(name))
    size = spec.image_size
    with torch.no_grad():
        network(torch.empty(2, 3, size, size, device="meta"))
    assert fired == list(kinds)


def test_other_families_are_named_and_not_guessed():
    with pytest.raises(BookError, match=r"family 'resnet'.*convnext, vit"):
        similarity.panels("resnet")
    assert similarity.common_panels("vit", "convnext") == ("all", "linear", "norm")


# Hooks


def network_of(key):
    return models.load(key, random_init=True).network


def images(n=6, seed=0):
    return torch.randn(n, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def same(found, features):
    np.testing.assert_allclose(found, gram(features.detach().numpy()), rtol=2e-4, atol=1e-4 * np.abs(found).max())


def replaced(key, weights):
    """A twin with random weights that are not its initial ones (layer scales of a trained network are not tiny)."""
    network = network_of(key)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=weights))
    return network


@pytest.mark.parametrize(("key", "names"), [
    ("twin_convnext_sup", {"stages.0.blocks.1": 0, "stages.2.blocks.5": 2}),
    ("twin_vit_sup", {"blocks.0": 0, "blocks.3": 3}),
])  # fmt: skip
def test_hooks_give_what_timm_gives_as_intermediate_features(key, names):
    network, pixels = replaced(key, torch.Generator().manual_seed(1)), images()
    with torch.no_grad():
        stages = network.forward_intermediates(
            pixels, intermediates_only=True, indices=list(names.values()), norm=False
        )
    for grams, features in zip(layer_grams(network, list(names), pixels), stages, strict=True):
        same(grams, features)


def test_hooks_give_what_a_traced_graph_gives():
    """torchvision's feature extraction by torch.fx, for layers inside the blocks of timm's ConvNeXt."""
    from torchvision.models.feature_extraction import create_feature_extractor

    network, pixels = replaced("twin_convnext_sup", torch.Generator().manual_seed(2)), images()
    names = ["stem.0", "stages.1.blocks.0.conv_dw", "stages.1.blocks.0.norm", "stages.2.blocks.3.mlp.fc1", "head.fc"]
    with torch.no_grad():
        features = create_feature_extractor(network, names)(pixels)
    for name, grams in zip(names, layer_grams(network, names, pixels), strict=True):
        same(grams, features[name])


def test_attention_of_open_clip_is_the_first_part_of_its_answer(small_clip):
    """open_clip's own transformer: hooks on nn.MultiheadAttention against the product written out."""
    from torch.nn import functional

    spec_size = models.MODELS[small_clip].image_size
    network = network_of(small_clip)
    block = network.transformer.resblocks[0]
    pixels = torch.randn(4, 3, spec_size, spec_size, generator=torch.Generator().manual_seed(0))
    kept = {}
    hook = block.ln_1.register_forward_hook(lambda module, inputs, output: kept.update(x=output))
    found = layer_grams(network, ["transformer.resblocks.0.attn"], pixels)[0]
    hook.remove()
    attention = block.attn
    x = kept["x"].clone()
    n, tokens, width = x.shape
    assert n == 4
    q, k, v = functional.linear(x, attention.in_proj_weight, attention.in_proj_bias).chunk(3, dim=-1)
    q, k, v = (each.reshape(n, tokens, attention.num_heads, -1).transpose(1, 2) for each in (q, k, v))
    weights = (q @ k.transpose(-1, -2) / np.sqrt(width / attention.num_heads)).softmax(-1)
    written_out = attention.out_proj((weights @ v).transpose(1, 2).reshape(n, tokens, width))
    same(found, written_out)


def test_the_tensor_way_agrees_with_the_array_way_and_refuses_what_is_not_finite():
    features = 1e3 + RNG(0).normal(size=(5, 3, 200, 150)).astype("f4")
    np.testing.assert_allclose(tensor_gram(torch.from_numpy(features)).numpy(), gram(features), rtol=1e-3, atol=1.0)
    features[2, 1, 0, 0] = np.inf
    with pytest.raises(BookError, match="finite numbers"):
        tensor_gram(torch.from_numpy(features))


def test_what_would_give_wrong_matrices_is_refused():
    network = network_of("twin_vit_sup")
    with pytest.raises(BookError, match="evaluation mode"):
        layer_grams(network.train(), ["head"], images())
    network.eval()

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.unused = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(self.layer(x))

    with pytest.raises(BookError, match="found several"):
        layer_grams(Twice().eval(), ["layer"], torch.ones(5, 4))
    with pytest.raises(BookError, match="unused: expected one output in a forward pass, found none"):
        layer_grams(Twice().eval(), ["unused"], torch.ones(5, 4))

    class TokensFirst(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Identity()

        def forward(self, x):
            return self.layer(x.transpose(0, 1))

    with pytest.raises(BookError, match="5 images on the first axis"):
        layer_grams(TokensFirst().eval(), ["layer"], torch.ones(5, 4, 2))
