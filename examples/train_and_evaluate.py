"""Trains a ResNet18 for a few steps in PyTorch, stores it in S3 as safetensors and as .pt, and has both evaluated.

    pip install torch numpy safetensors boto3
    COLLAPSAR_URL=http://localhost:8080 python train_and_evaluate.py s3://bucket/prefix

S3 is found by the AWS SDK's own variables: AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
The images are made here, so that nothing is downloaded: ten patterns in noise. Put your own in their place.
"""

import io
import json
import os
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import boto3
import numpy as np
import torch
from safetensors.numpy import save as save_arrays
from safetensors.torch import save as save_tensors
from torch import nn
from torch.nn import functional as F

SERVICE = os.environ.get("COLLAPSAR_URL", "http://localhost:8080")
TOKEN = os.environ.get("COLLAPSAR_TOKEN")
CLASSES, WIDTH, STEPS, SEED = 10, 8, 20, 1
MEAN, STD = 0.5, 0.25  # of pixel/255


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """For 28×28 grey images, with the tensor names of DDU's repository."""

    def __init__(self, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        for i in range(4):
            first = Block(widths[i], widths[i + 1], 1 if i == 0 else 2)
            setattr(self, f"layer{i + 1}", nn.Sequential(first, Block(widths[i + 1], widths[i + 1], 1)))
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def make_images(count, random):
    """Returns images (N×28×28×1, uint8) and labels: each class a pattern of its own, in noise."""
    labels = np.arange(count) % CLASSES
    patterns = np.random.default_rng(0).uniform(60, 200, (CLASSES, 7, 7)).repeat(4, 1).repeat(4, 2)
    images = patterns[labels] + random.normal(0, 25, (count, 28, 28))
    return images.clip(0, 255).astype(np.uint8)[..., None], labels.astype(np.int64)


def train(network, images, labels):
    x = (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - MEAN) / STD
    y = torch.from_numpy(labels)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for _ in range(STEPS):
        batch = torch.randint(len(x), (64,))
        loss = F.cross_entropy(network(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"loss after {STEPS} steps: {loss.item():.3f}")


def push(s3, url, data):
    where = urlsplit(url)
    s3.put_object(Bucket=where.netloc, Key=where.path.lstrip("/"), Body=data)
    return url


def request(path, body=None, **headers):
    if TOKEN:
        headers["authorization"] = f"Bearer {TOKEN}"
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(SERVICE + path, data, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"the service refuses: {json.load(error)['detail']}")


def evaluate(body):
    """Submits a checkpoint, waits for the end, and returns the evaluation."""
    evaluation = request("/evaluate", body, prefer="wait=30")
    while evaluation["status"] in ("queued", "running"):
        time.sleep(1)
        evaluation = request(f"/evaluations/{evaluation['id']}")
    if evaluation["status"] != "succeeded":
        sys.exit(f"the evaluation {evaluation['status']}: {evaluation['error']}")
    return evaluation


def main(store):
    torch.manual_seed(SEED)
    random = np.random.default_rng(SEED)
    s3 = boto3.client("s3")
    sets = {}
    for name, count in (("train", 500), ("test", 200)):
        images, labels = make_images(count, random)
        sets[name] = push(s3, f"{store}/{name}.safetensors", save_arrays({"images": images, "labels": labels}))
        if name == "train":
            network = ResNet18(WIDTH, CLASSES)
            train(network, images, labels)

    told = {"mean": str(MEAN), "std": str(STD)}  # what the tensors cannot tell
    place = {"experiment": "example", "group": "ce", "seed": SEED, "epoch": 1}
    metadata = {**told, **{key: str(value) for key, value in place.items()}, "run": "example-safetensors"}
    state = network.state_dict()
    safetensors = push(s3, f"{store}/model.safetensors", save_tensors(state, metadata))
    file = io.BytesIO()
    torch.save(state, file)
    pt = push(s3, f"{store}/model.pt", file.getvalue())

    common = {"dataset": sets["train"], "test": sets["test"]}
    evaluations = {
        "safetensors": evaluate({"checkpoint": safetensors, **common}),  # says itself which run it is of
        "pt": evaluate({"checkpoint": pt, **common, "network": told, "run": {"id": "example-pt", **place}}),
    }
    for name, evaluation in evaluations.items():
        values = evaluation["values"]
        print(name, {metric: values[metric] for metric in ("nc1", "nc3", "nc4_error", "accuracy", "ece")})
    rows = request("/runs/example-safetensors/metrics")["metrics"]
    print(json.dumps({"runs": [e["run"] for e in evaluations.values()], "recorded": rows[-1]["values"]}))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].startswith("s3://"):
        sys.exit(__doc__)
    main(sys.argv[1].rstrip("/"))
