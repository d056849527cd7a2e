"""Writes a features file of Gaussian classes, of any size: python make.py --n 50000 --d 512 --c 10 --out F.safetensors"""

import argparse
import json
import struct

import numpy as np

BLOCK = 10_000  # rows made at a time, to bound the memory


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("n", "d", "c"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    write_gaussian_classes(args.n, args.d, args.c, args.out)
    print("{}")  # every program of the bench prints JSON


def write_gaussian_classes(n, d, c, path):
    """Features around random class means, non-negative as after a ReLU, in random order; a classifier near the means."""
    rng = np.random.default_rng(n + d + c)
    means = rng.standard_normal((c, d), np.float32)
    labels = rng.permutation(np.arange(n) % c).astype(np.int32)
    tensors = create_safetensors(
        path,
        {
            "features": ("F32", (n, d)),
            "logits": ("F32", (n, c)),
            "labels": ("I32", (n,)),
            "weight": ("F32", (c, d)),
            "bias": ("F32", (c,)),
        },
    )
    weight = means / np.linalg.norm(means)
    tensors["weight"][:] = weight + np.float32(0.2) * rng.standard_normal((c, d), np.float32) / np.float32((c * d) ** 0.5)
    tensors["bias"][:] = 0.1 * rng.standard_normal(c)
    tensors["labels"][:] = labels
    for start in range(0, n, BLOCK):
        rows = slice(start, min(start + BLOCK, n))
        noise = rng.standard_normal((rows.stop - rows.start, d), np.float32)
        features = np.maximum(means[labels[rows]] + 2 * noise, 0)
        tensors["features"][rows] = features
        tensors["logits"][rows] = features @ tensors["weight"].T + tensors["bias"]


def create_safetensors(path, layout):
    """Creates a safetensors file with room for these tensors, and maps each of them into memory."""
    types = {"F32": np.float32, "I32": np.int32}
    header, places, end = {}, {}, 0
    for name, (dtype, shape) in layout.items():
        size = int(np.prod(shape)) * 4
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        places[name] = end
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return {
        name: np.memmap(path, types[dtype], "r+", 8 + len(text) + places[name], shape)
        for name, (dtype, shape) in layout.items()
    }


main()
