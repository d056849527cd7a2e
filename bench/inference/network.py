"""ResNet18 and ResNet50 as DDU trains them for CIFAR (arXiv 2102.11582), with pixels normalised inside.

The names of parameters and buffers are those of DDU's checkpoints, so that `collapsar` and PyTorch read the same file.
"""
import torch
import torch.nn.functional as F
from torch import nn

STAGES = {"resnet18": ("basic", (2, 2, 2, 2)), "resnet50": ("bottleneck", (3, 4, 6, 3))}

# Mean and standard deviation of CIFAR10's pixels, of pixel/255.
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


class Block(nn.Module):
    """Basic (3x3, 3x3) or bottleneck (1x1, 3x3, 1x1 of 4 x width) residual block."""

    def __init__(self, kind, c_in, planes, stride):
        super().__init__()
        steps = [(c_in, planes, 3, stride), (planes, planes, 3, 1)]
        if kind == "bottleneck":
            steps = [(c_in, planes, 1, 1), (planes, planes, 3, stride), (planes, 4 * planes, 1, 1)]
        self.depth, self.channels = len(steps), steps[-1][1]
        for i, (channels, width, kernel, step) in enumerate(steps, 1):
            setattr(self, f"conv{i}", nn.Conv2d(channels, width, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(width))
        self.shortcut = nn.Sequential()
        if stride != 1 or c_in != self.channels:
            conv = nn.Conv2d(c_in, self.channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(self.channels))

    def forward(self, x):
        out = x
        for i in range(1, self.depth + 1):
            out = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(out))
            if i < self.depth:
                out = F.relu(out)
        return F.relu(out + self.shortcut(x))


class ResNet(nn.Module):
    """Returns (features, logits) of normalised N x channels x 32 x 32 or 28 x 28 images."""

    def __init__(self, arch, width=64, classes=10, channels=3):
        super().__init__()
        kind, depths = STAGES[arch]
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        channels = width
        for stage, depth in enumerate(depths):
            blocks = []
            for i in range(depth):
                blocks.append(Block(kind, channels, width << stage, 2 if stage and not i else 1))
                channels = blocks[-1].channels
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        features = F.avg_pool2d(out, 4).flatten(1)
        return features, self.fc(features)


class Extractor(nn.Module):
    """Returns (features, logits) of uint8 N x 32 x 32 x 3 pixels: what every program of the bench computes."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, pixels):
        x = pixels.permute(0, 3, 1, 2).float() / 255
        return self.net((x - self.mean) / self.std)
