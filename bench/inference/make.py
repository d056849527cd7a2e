"""Writes the files of the bench: CIFAR-like images, and one network with random but sane weights, as a safetensors
checkpoint and as the ONNX file PyTorch exports."""
import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from network import MEAN, STD, Extractor, ResNet
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file


def make_images(count):
    """Smooth random images with some noise: the statistics of photographs, not of white noise."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.normal(size=(count, 3, 6, 6)).astype(np.float32))
    smooth = torch.nn.functional.interpolate(coarse, size=32, mode="bicubic").numpy()
    pixels = 125 + 50 * smooth + rng.normal(scale=8, size=smooth.shape)
    return np.ascontiguousarray(pixels.clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1))


def make_network(arch, width, images):
    """A ResNet whose batch norms hold the statistics of its own activations, so that no layer fades or explodes."""
    torch.manual_seed(0)
    net = ResNet(arch, width)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # a plain average
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
    with torch.no_grad():
        Extractor(net.train())(torch.from_numpy(images))
    return net.eval()


def export_onnx(net, images, path):
    """Pixels in, batch size free; the exporter is the one that needs no further package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            Extractor(net).eval(),
            (torch.from_numpy(images),),
            path,
            input_names=["images"],
            output_names=["features", "logits"],
            dynamic_axes={name: {0: "N"} for name in ("images", "features", "logits")},
            dynamo=False,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--images", type=int, required=True, help="how many")
    parser.add_argument("--trial-images", type=int, required=True, help="how many, in a file of their own")
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    images = make_images(args.images)
    save_arrays({"images": images}, args.folder / "images.safetensors")
    save_arrays({"images": images[: args.trial_images]}, args.folder / "trial.safetensors")
    net = make_network(args.arch, args.width, images[:64])
    metadata = {"mean": ",".join(map(str, MEAN)), "std": ",".join(map(str, STD))}
    save_file(net.state_dict(), args.folder / "network.safetensors", metadata=metadata)
    export_onnx(net, images[:8], args.folder / "network.onnx")


if __name__ == "__main__":
    main()
