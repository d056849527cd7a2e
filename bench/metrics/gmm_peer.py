"""
DDU's GMM of a features file in float64: `gmm_fit` on the training set, log densities of the first and of the last `--scored`
samples. Prints JSON: seconds of fit and of scoring, from the opened file on, the jitter, and the first scores of either.

python gmm_peer.py --checkout DDU --file F.safetensors --threads 2 [--scored 10000] [--batch 500]
"""

import argparse
import json
import resource
import sys
import time
import types

import torch
from safetensors import safe_open


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--scored", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=500)
    args = parser.parse_args()
    sys.path.insert(0, args.checkout)
    sys.modules.setdefault("tqdm", types.SimpleNamespace(tqdm=iter))  # a progress bar, which nobody sees here
    from utils.gmm_utils import gmm_fit, gmm_get_logits

    torch.set_num_threads(args.threads)
    # with it, today's PyTorch refuses a covariance by a message that DDU's ladder does not know
    torch.distributions.Distribution.set_default_validate_args(False)
    torch.linalg.cholesky(torch.eye(8, dtype=torch.float64))  # loads LAPACK

    begun = time.perf_counter()
    file = safe_open(args.file, "pt")
    features, labels = file.get_tensor("features").double(), file.get_tensor("labels")
    gmm, jitter = gmm_fit(features, labels, len(file.get_slice("weight")[:, 0]))
    fit = time.perf_counter() - begun

    begun = time.perf_counter()
    scores = []
    for part in (features[: args.scored], features[-args.scored :]):
        logits = [gmm_get_logits(gmm, part[i : i + args.batch]) for i in range(0, len(part), args.batch)]
        scores.append(-torch.logsumexp(torch.cat(logits), dim=1))
    score = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first = [values[:4].tolist() for values in scores]
    print(json.dumps({"fit": fit, "score": score, "peakMiB": peak, "jitter": jitter, "first": first}))


main()
