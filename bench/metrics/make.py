"""Writes a features file of Gaussian classes: python make.py --n 50000 --d 512 --c 10 --out F.safetensors"""

import argparse

import numpy as np
from safetensors.numpy import save_file

BLOCK = 10_000  # rows made at a time, to bound the memory


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("n", "d", "c"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    save_file(gaussian_classes(args.n, args.d, args.c), args.out)
    print("{}")  # every program of the bench prints JSON


def gaussian_classes(n, d, c):
    """Features around random class means, non-negative as after a ReLU, in random order; a classifier near the means."""
    rng = np.random.default_rng(n + d + c)
    means = rng.standard_normal((c, d), np.float32)
    labels = rng.permutation(np.arange(n) % c).astype(np.int32)
    features = np.empty((n, d), np.float32)
    for start in range(0, n, BLOCK):
        rows = slice(start, min(start + BLOCK, n))
        noise = rng.standard_normal((rows.stop - rows.start, d), np.float32)
        features[rows] = np.maximum(means[labels[rows]] + 2 * noise, 0)
    weight = means / np.linalg.norm(means) + 0.2 * rng.standard_normal((c, d), np.float32) / np.sqrt(c * d)
    bias = (0.1 * rng.standard_normal(c)).astype(np.float32)
    logits = features @ weight.T.astype(np.float32) + bias
    return {
        "features": features,
        "labels": labels,
        "logits": logits.astype(np.float32),
        "weight": weight.astype(np.float32),
        "bias": bias,
    }


main()
