"""Linear HSIC and CKA from Gram matrices: unbiased estimator, batches, jackknife. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from helpers.errors import BookError

FEWEST = 4  # images of a batch: the unbiased estimator divides by n - 3
CHUNK = 65_536  # features multiplied at a time: single-precision products of so many, summed in double


def gram(features: np.ndarray) -> np.ndarray:
    """Linear Gram matrix of centred features (images, ...), everything behind the first axis flattened: (n, n) float64.

    Centring changes no HSIC; it keeps large means from eating the digits.

    >>> gram(np.array([[1.0, 0.0], [3.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    flat = np.asarray(features, dtype=np.float64).reshape(len(features), -1)
    centred = flat - flat.mean(axis=0)
    return centred @ centred.T


def u_centred(grams: np.ndarray) -> np.ndarray:
    """U-centred Gram matrices (..., n, n): zero diagonal, and every row sums to zero.

    The inner product of two of them, divided by n (n - 3), is the unbiased HSIC. Raises BookError for fewer than
    four images. Source: Szekely & Rizzo 2014, "Partial distance correlation", section 2.

    >>> square = np.outer([0, 1, 2, 4], [0, 1, 2, 4]); float(abs(u_centred(square).sum(axis=1)).max()) < 1e-12
    True
    """
    n = grams.shape[-1]
    if n < FEWEST:
        raise BookError(f"a batch of {n} images", f"at least {FEWEST} for the unbiased HSIC", "use larger batches")
    diagonal = np.arange(n)
    hollow = np.array(grams, dtype=np.float64)
    hollow[..., diagonal, diagonal] = 0.0
    rows = hollow.sum(axis=-1, keepdims=True) / (n - 2)
    total = hollow.sum(axis=(-2, -1), keepdims=True) / ((n - 1) * (n - 2))
    hollow -= rows + np.swapaxes(rows, -1, -2) - total
    hollow[..., diagonal, diagonal] = 0.0
    return hollow


def packed(grams: np.ndarray) -> np.ndarray:
    """U-centred Gram matrices as vectors whose inner products are unbiased HSICs: (..., n (n - 1) / 2).

    HSIC = 1 / (n (n - 3)) x sum over i != j; the matrices are symmetric, so half of each is enough.

    >>> rng = np.random.default_rng(0); vector = packed(gram(rng.normal(size=(6, 3)))); vector.shape
    (15,)
    """
    n = grams.shape[-1]
    upper = np.triu_indices(n, 1)
    return u_centred(grams)[..., upper[0], upper[1]] * np.sqrt(2.0 / (n * (n - 3)))


def hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased HSIC of two Gram matrices (n, n) by its own formula; the direct, slow way.

    HSIC_1 = [tr(KL) + 1'K1 1'L1 / ((n-1)(n-2)) - 2 / (n-2) 1'KL1] / (n (n-3)), K and L with zero diagonals.
    Source: Song et al. 2012, "Feature selection via dependence maximization", equation 5.

    >>> k = gram(np.array([[0.0], [1.0], [3.0], [6.0]])); round(hsic(k, k), 6) == round(float(packed(k) @ packed(k)), 6)
    True
    """
    n = len(first)
    if n < FEWEST:
        raise BookError(f"a batch of {n} images", f"at least {FEWEST} for the unbiased HSIC", "use larger batches")
    k, l = (each - np.diag(np.diag(each)) for each in (first, second))  # noqa: E741
    product = k @ l
    whole = k.sum() * l.sum() / ((n - 1) * (n - 2))
    return float((np.trace(product) + whole - 2 * product.sum() / (n - 2)) / (n * (n - 3)))


def cka(cross: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CKA of every two layers from HSICs averaged over batches: (..., layers a, layers b); NaN where there is none.

    cross: HSIC (..., a, b); first (..., a) and second (..., b): of each layer with itself. CKA is a ratio of means,
    not a mean of ratios. Where an HSIC of a layer with itself is not positive there is no root to divide by.
    Source: Nguyen et al. 2021, "Do wide and deep networks learn the same things?", equation 3.

    >>> cka(np.array([[1.0, 2.0]]), np.array([4.0]), np.array([1.0, -1.0])).tolist()
    [[0.5, nan]]
    """
    roots = [np.sqrt(np.where(each > 0, each, np.nan)) for each in (first, second)]
    return cross / (roots[0][..., :, None] * roots[1][..., None, :])


def leave_one_out(per_batch: np.ndarray) -> np.ndarray:
    """Means over all batches but one: (batches, ...) in and out. Raises BookError for a single batch.

    >>> leave_one_out(np.array([1.0, 2.0, 6.0])).tolist()
    [4.0, 3.5, 1.5]
    """
    batches = len(per_batch)
    if batches < 2:
        raise BookError("one batch", "at least two for a jackknife", "use more images or smaller batches")
    return (per_batch.sum(axis=0) - per_batch) / (batches - 1)


def jackknife_interval(value, left_out: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a statistic from its values with one batch left out each: value -+ t x jackknife standard error.

    left_out: (batches, ...). Student's t with batches - 1 degrees: eight batches make a normal or percentile
    interval too narrow. Source: Efron & Tibshirani 1993, chapter 11.

    >>> low, high = jackknife_interval(3.0, leave_one_out(np.array([1.0, 2.0, 6.0]))); round(float(high), 2)
    9.57
    """
    from scipy.special import stdtrit

    batches = len(left_out)
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    half = stdtrit(batches - 1, (1 + level) / 2) * np.sqrt((batches - 1) / batches * spread)
    return np.asarray(value) - half, np.asarray(value) + half
