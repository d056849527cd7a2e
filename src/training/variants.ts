/** Variants that are trained here. */
export const TRAINED_VARIANTS = [
  ...(["cifar", "cifar+mod", "cifar+sn", "cifar+mod+sn"] as const),
  ...(["mnist", "mnist+mod", "mnist+sn", "mnist+mod+sn"] as const),
];
