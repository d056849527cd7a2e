"""Extracts features and logits with another framework and prints how fast, as JSON.

The clock runs over what `collapsar extract` also does after loading: pixels in memory -> normalisation -> network ->
features and logits in one array each. Loading, compiling and the first batch are before it.
"""
import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

BATCHES = (16, 32, 64, 128, 256)


def torch_extractor(args, channels_last=False, compiled=False):
    import torch
    from network import Extractor, ResNet
    from safetensors.torch import load_file as load_tensors

    torch.set_num_threads(args.threads)
    net = ResNet(args.arch, args.width)
    net.load_state_dict(load_tensors(args.folder / "network.safetensors"))
    extractor = Extractor(net).eval()
    if channels_last:
        extractor = extractor.to(memory_format=torch.channels_last)
    if compiled:
        import torch._inductor.config

        torch._inductor.config.freezing = True
        extractor = torch.compile(extractor, dynamic=False)

    def run(pixels):
        # inductor freezes weights under no_grad; eager PyTorch is fastest in inference mode
        with torch.no_grad() if compiled else torch.inference_mode():
            features, logits = extractor(torch.from_numpy(pixels))
        return features.numpy(), logits.numpy()

    return run


def onnxruntime_extractor(args):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.folder / "network.onnx", options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["features", "logits"], {"images": pixels})


def openvino_extractor(args):
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": args.threads,
        "PERFORMANCE_HINT": "LATENCY",  # one request at a time on all threads, as everywhere here
    }
    request = core.compile_model(args.folder / "network.onnx", "CPU", settings).create_infer_request()

    def run(pixels):
        outputs = request.infer({"images": pixels}, share_inputs=True, share_outputs=True)
        return outputs["features"], outputs["logits"]

    return run


EXTRACTORS = {
    "torch-eager": lambda args: torch_extractor(args),
    "torch-channels-last": lambda args: torch_extractor(args, channels_last=True),
    "torch-compile": lambda args: torch_extractor(args, compiled=True),
    "torch-compile-channels-last": lambda args: torch_extractor(args, channels_last=True, compiled=True),
    "onnxruntime-python": onnxruntime_extractor,
    "openvino": openvino_extractor,
}


def extract(run, images, batch):
    """Returns (features, logits, seconds) of all images; the first batch is run once more, before the clock."""
    first_features, first_logits = run(images[:batch])
    features = np.empty((len(images), first_features.shape[1]), np.float32)
    logits = np.empty((len(images), first_logits.shape[1]), np.float32)
    begun = time.perf_counter()
    for start in range(0, len(images), batch):
        end = start + batch
        features[start:end], logits[start:end] = run(images[start:end])
    return features, logits, time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", choices=EXTRACTORS)
    parser.add_argument("--folder", type=Path, required=True, help="the files of make.py")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch", type=int, help="without it: try all sizes on the trial images")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    run = EXTRACTORS[args.program](args)
    if args.batch is None:
        images = load_file(args.folder / "trial.safetensors")["images"]
        seconds = {batch: extract(run, images, batch)[2] for batch in BATCHES}
        json.dump({"batch": min(seconds, key=seconds.get)}, sys.stdout)
        return
    images = load_file(args.folder / "images.safetensors")["images"]
    features, logits, seconds = extract(run, images, args.batch)
    save_file({"features": features, "logits": logits}, args.out)
    json.dump({"imagesPerSecond": len(images) / seconds}, sys.stdout)


if __name__ == "__main__":
    main()
