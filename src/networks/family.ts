/** Kind of block and number of blocks in each of the four stages, by architecture (He et al., arXiv 1512.03385). */
export const STAGES = {
  resnet18: { block: "basic", depths: [2, 2, 2, 2] },
  resnet34: { block: "basic", depths: [3, 4, 6, 3] },
  resnet50: { block: "bottleneck", depths: [3, 4, 6, 3] },
  resnet101: { block: "bottleneck", depths: [3, 4, 23, 3] },
  resnet152: { block: "bottleneck", depths: [3, 8, 36, 3] },
} as const;
export type Architecture = keyof typeof STAGES;
export const ARCHITECTURES = Object.keys(STAGES) as Architecture[];

/** Kernel of the stem and the images it takes: DDU's for 32×32 colour and 28×28 grey images, torchvision's for any size. */
export const STEMS = {
  cifar: { kernel: 3, channels: 3, size: { height: 32, width: 32 } },
  mnist: { kernel: 3, channels: 1, size: { height: 28, width: 28 } },
  torchvision: { kernel: 7, channels: 3, size: null },
} as const;
export type Stem = keyof typeof STEMS;
export const STEM_NAMES = Object.keys(STEMS) as Stem[];

const KEYS = ["arch", "variant", "coeff", "width", "classes", "l2_norm", "mean", "std"] as const;
export type NetworkKey = (typeof KEYS)[number];

/** The metadata keys that describe a network. */
export const NETWORK_KEYS: readonly string[] = KEYS;
