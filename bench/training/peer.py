"""Trains with PyTorch and prints JSON: images per second, and the losses of the first steps, which are before the clock.

Eager, float32, as DDU trains: ResNet18, cross-entropy, torch.optim.SGD. Images lie in memory in the network's own layout.
"""
import argparse
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parent.parent / "inference"))
from network import ResNet  # noqa: E402

WARM_UP = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layout", choices=["contiguous", "channels_last"])
    parser.add_argument("--start", type=Path, required=True, help="initial weights, images and labels")
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--momentum", type=float, required=True)
    parser.add_argument("--weight-decay", type=float, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    start = load_file(args.start)
    images, labels = start["images"], start["labels"].long()
    net = ResNet("resnet18", args.width, channels=images.shape[1])
    initial = {name.removeprefix("initial."): value for name, value in start.items() if name.startswith("initial.")}
    missing, unexpected = net.load_state_dict(initial, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    if args.layout == "channels_last":
        net = net.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(net.parameters(), args.learning_rate, args.momentum, weight_decay=args.weight_decay)

    def step():
        sgd.zero_grad()
        loss = F.cross_entropy(net(images)[1], labels)
        loss.backward()
        sgd.step()
        return loss.item()

    losses = [step() for _ in range(WARM_UP)]
    begun = time.perf_counter()
    for _ in range(args.steps):
        step()
    seconds = time.perf_counter() - begun
    json.dump({"imagesPerSecond": args.steps * len(labels) / seconds, "losses": losses}, sys.stdout)


if __name__ == "__main__":
    main()
