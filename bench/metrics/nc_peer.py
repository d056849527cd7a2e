"""
All of NC1 to NC4 of a features file by rhubarbwu's neural-collapse, as its examples do it: three passes in batches, of 128
unless told otherwise.
Prints JSON: seconds from the opened file to the numbers, of the first and of the fastest of `--repeats`, and the
numbers.

python nc_peer.py --checkout NEURAL_COLLAPSE --file F.safetensors --threads 2 [--batch 128] [--dtype float32] [--repeats 1]
"""

import argparse
import json
import resource
import sys
import time

import torch
from safetensors import safe_open


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    sys.path.insert(0, args.checkout)
    torch.set_num_threads(args.threads)
    torch.linalg.pinv(torch.eye(8))  # loads LAPACK
    seconds = []
    for _ in range(args.repeats):
        begun = time.perf_counter()
        values = measure(args.file, args.batch, getattr(torch, args.dtype))
        seconds.append(time.perf_counter() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"first": seconds[0], "best": min(seconds), "peakMiB": peak, "values": values}))


def measure(path, batch, dtype):
    from neural_collapse.accumulate import CovarAccumulator, DecAccumulator, MeanAccumulator
    from neural_collapse.measure import clf_ncc_agreement, covariance_ratio, self_duality_error, simplex_etf_error

    file = safe_open(path, "pt")
    features, labels = file.get_tensor("features"), file.get_tensor("labels").long()
    weight = file.get_tensor("weight").to(dtype)
    (n, d), c = features.shape, len(weight)

    def batches():
        for start in range(0, n, batch):
            yield features[start : start + batch].to(dtype), labels[start : start + batch]

    means_of = MeanAccumulator(c, d, dtype=dtype)
    for x, y in batches():
        means_of.accumulate(x, y)
    means, mean = means_of.compute()
    within_of = CovarAccumulator(c, d, M=means, dtype=dtype)
    for x, y in batches():
        within_of.accumulate(x, y, means)
    within = within_of.compute()
    decisions = DecAccumulator(c, d, M=means, W=weight, dtype=dtype)
    for x, y in batches():
        decisions.accumulate(x, y, weight, means)
    return {
        "nc1": covariance_ratio(within, means, mean),
        "nc2_etf_means": simplex_etf_error(means, mean),
        "nc3_etf": self_duality_error(weight, means, mean),
        "agreement": clf_ncc_agreement(decisions),
    }


main()
