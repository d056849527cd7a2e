"""
NC1 to NC4 of a features file by the plain algorithm in numpy: class sums; eigenvectors of the C×C Gram matrix of the class
means, in float64; one float32 product of the features with [eigenvectors, means, weight]. Prints JSON: seconds from opening
the file to the numbers, of the first and of the fastest of `--repeats`, and the numbers. Threads are those of OpenBLAS.

python nc_plain.py --file F.safetensors [--batch 4096] [--repeats 1]
"""

import argparse
import json
import resource
import time

import numpy as np
from safetensors import safe_open


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", required=True)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    seconds = []
    for _ in range(args.repeats):
        begun = time.perf_counter()
        values = measure(args.file, args.batch)
        seconds.append(time.perf_counter() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"first": seconds[0], "best": min(seconds), "peakMiB": peak, "values": values}))


def measure(path, batch):
    file = safe_open(path, "np")
    features, labels, weight = (file.get_tensor(name) for name in ("features", "labels", "weight"))
    means = class_means(features, labels, len(weight), batch)
    centred = means - means.mean(0)
    eigenvalues, vectors = np.linalg.eigh(centred @ centred.T)
    kept = eigenvalues > 1e-12 * eigenvalues[-1]
    eigenvalues, vectors = eigenvalues[kept], vectors[:, kept]
    basis = (vectors.T @ centred) / np.sqrt(eigenvalues)[:, None]
    factors = np.concatenate([basis, means, weight]).astype(np.float32).T.copy()
    rank, classes = len(eigenvalues), len(weight)
    located = (means @ basis.T).astype(np.float32)
    inverse = (1 / eigenvalues).astype(np.float32)
    half = ((means**2).sum(1) / 2).astype(np.float32)
    whitened, mismatches = 0.0, 0
    for start in range(0, len(features), batch):
        products = features[start : start + batch] @ factors
        within = products[:, :rank] - located[labels[start : start + batch]]
        whitened += float(((within * within) @ inverse).sum(dtype=np.float64))
        nearest = (products[:, rank : rank + classes] - half).argmax(1)
        mismatches += int((nearest != products[:, rank + classes :].argmax(1)).sum())
    cosines = cosines_of(centred), cosines_of(weight)
    unlike = weight / np.linalg.norm(weight) - centred / np.linalg.norm(centred)
    return {
        "nc1": whitened / len(features),
        "nc2_equiangular_means": equiangular(cosines[0]),
        "nc2_equiangular_classifiers": equiangular(cosines[1]),
        "nc3": float((unlike**2).sum()),
        "nc4_mismatch": mismatches / len(features),
    }


def class_means(features, labels, classes, batch):
    sums = np.zeros((classes, features.shape[1]))
    for start in range(0, len(features), batch):
        members = np.zeros((classes, min(batch, len(features) - start)), np.float32)
        members[labels[start : start + batch], np.arange(members.shape[1])] = 1
        sums += members @ features[start : start + batch]
    return sums / np.bincount(labels, minlength=classes)[:, None]


def cosines_of(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def equiangular(cosines):
    classes = len(cosines)
    apart = ~np.eye(classes, dtype=bool)
    return float(np.abs(cosines[apart] + 1 / (classes - 1)).mean())


main()
