"""
DDU's GMM of a features file in float64: its gmm_fit on all features, its gmm_get_logits of the first 20,000. Prints JSON: seconds
of both from features in memory, the jitter, the mean score, and peak memory.

python gmm_peer.py --checkout DDU --file F.safetensors --threads 2 [--batch 1000]
"""

import argparse
import json
import resource
import sys
import time
import types

import torch
from safetensors import safe_open

SCORED = 20_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1000)
    args = parser.parse_args()
    sys.path.insert(0, args.checkout)
    sys.modules.setdefault("tqdm", types.SimpleNamespace(tqdm=iter))  # a progress bar, which nobody sees here
    from utils.gmm_utils import gmm_fit, gmm_get_logits

    torch.set_num_threads(args.threads)
    # with it, today's PyTorch refuses a covariance by a message that DDU's ladder does not know
    torch.distributions.Distribution.set_default_validate_args(False)
    torch.linalg.cholesky(torch.eye(8, dtype=torch.float64))  # loads LAPACK
    file = safe_open(args.file, "pt")
    features, labels = file.get_tensor("features").double(), file.get_tensor("labels")
    classes = file.get_slice("weight").get_shape()[0]

    begun = time.perf_counter()
    gmm, jitter = gmm_fit(features, labels, classes)
    fitted = time.perf_counter()
    logits = [gmm_get_logits(gmm, batch) for batch in features[:SCORED].split(args.batch)]
    scores = -torch.logsumexp(torch.cat(logits), dim=1)
    scored = time.perf_counter()

    times = {"fit": fitted - begun, "score": scored - fitted}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**times, "jitter": jitter, "mean": scores.mean().item(), "peakMiB": peak}))


main()
