import { decodeCifar } from "./cifar.ts";
import { decodeIdxPair } from "./idx.ts";
import type { ImageArrays } from "./inMemory.ts";
import type { SourceFile } from "./localFiles.ts";
import { decodeNpz } from "./npz.ts";
import { decodeSvhn } from "./svhn.ts";

/** A dataset that is known by name: which files it is read from, and where these are to be had. */
export interface CatalogueEntry {
  /** Files of each part, in the order of their images; `folder/file` may also lie without its folder. */
  readonly files: { readonly train: readonly string[]; readonly test: readonly string[] };
  /** The archive as it is downloaded, which holds all of them; null where they are downloaded one by one. */
  readonly archive: string | null;
  /** Where to get what is missing, as the end of a sentence. */
  readonly source: string;
  /** MD5 (hex) of files as they are published, by any publisher. It tells a torn download, and no forgery. */
  readonly md5: Readonly<Record<string, readonly string[]>>;
  /** Returns the images of a part. @throws CollapsarError `malformed-dataset`, `invalid-label`. */
  decode(files: readonly SourceFile[]): ImageArrays;
}

const IDX_FILES = {
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
} as const;

const CIFAR10_BATCHES = [1, 2, 3, 4, 5].map((batch) => `cifar-10-batches-bin/data_batch_${batch}.bin`);

/**
 * MD5 of `.gz` and `.mat` files: those in the source of torchvision (`datasets/mnist.py`, `datasets/svhn.py`); of CIFAR:
 * those on its page, https://www.cs.toronto.edu/~kriz/cifar.html; second, of Fashion-MNIST: those of Debian's package, which packs them anew.
 */
export const CATALOGUE = {
  mnist: {
    files: IDX_FILES,
    archive: null,
    source: "download them from https://storage.googleapis.com/cvdf-datasets/mnist",
    md5: {
      "train-images-idx3-ubyte.gz": ["f68b3c2dcbeaaa9fbdd348bbdeb94873"],
      "train-labels-idx1-ubyte.gz": ["d53e105ee54ea40749a09fcbcd1e9432"],
      "t10k-images-idx3-ubyte.gz": ["9fb629c4189551a2d022fa330f9573f3"],
      "t10k-labels-idx1-ubyte.gz": ["ec29112dd5afa0611ce80d1b7f02629c"],
    },
    decode: decodeIdxPair,
  },
  "fashion-mnist": {
    files: IDX_FILES,
    archive: null,
    source:
      "Debian's package dataset-fashion-mnist installs them, or download them from http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    md5: {
      "train-images-idx3-ubyte.gz": ["8d4fb7e6c68d591d4c3dfef9ec88bf0d", "cf8536b0aa1a6ac5fa3f23001093305c"],
      "train-labels-idx1-ubyte.gz": ["25c81989df183df01b3e8a0aad5dffbe", "10bea18fdb374794d4bb42e356e600c9"],
      "t10k-images-idx3-ubyte.gz": ["bef4ecab320f06d8554ea6380940ec79", "f78720b4224f21cce2f2ccf2d7a94c9a"],
      "t10k-labels-idx1-ubyte.gz": ["bb300cfdad3c16e7a12a480ee83cd310", "0d30e22e447f3c33dab9ed536400ac01"],
    },
    decode: decodeIdxPair,
  },
  "fashion-sample": {
    files: IDX_FILES,
    archive: null,
    source: "it comes with Collapsar, and has a test part only",
    md5: {},
    decode: decodeIdxPair,
  },
  cifar10: {
    files: { train: CIFAR10_BATCHES, test: ["cifar-10-batches-bin/test_batch.bin"] },
    archive: "cifar-10-binary.tar.gz",
    source: "download the binary version (162 MB) from https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5: { "cifar-10-binary.tar.gz": ["c32a1d4ab5d03f1284b67883e8d87530"] },
    decode: (files) => decodeCifar(files, { labelBytes: 1, classes: 10 }),
  },
  cifar100: {
    files: { train: ["cifar-100-binary/train.bin"], test: ["cifar-100-binary/test.bin"] },
    archive: "cifar-100-binary.tar.gz",
    source: "download the binary version (161 MB) from https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    md5: { "cifar-100-binary.tar.gz": ["03b5dce01913d631647c71ecec9e9cb8"] },
    decode: (files) => decodeCifar(files, { labelBytes: 2, classes: 100 }),
  },
  svhn: {
    files: { train: ["train_32x32.mat"], test: ["test_32x32.mat"] },
    archive: null,
    source: "download the cropped digits (format 2) from http://ufldl.stanford.edu/housenumbers",
    md5: {
      "train_32x32.mat": ["e26dedcc434d2e4c54c9b2d4a06d8373"],
      "test_32x32.mat": ["eb5a983be6a315427106f1b164d9cef3"],
    },
    decode: decodeSvhn,
  },
  "dirty-mnist": {
    files: { train: ["dirty-mnist-train.npz"], test: ["dirty-mnist-test.npz"] },
    archive: null,
    source:
      "make them of MNIST and of Ambiguous-MNIST (https://github.com/BlackHC/ddu_dirty_mnist) as docs/training.md says",
    md5: {},
    decode: ([file]) => decodeNpz(file!.bytes, file!.source),
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type CatalogueName = keyof typeof CATALOGUE;

/** Names of all datasets that are read from files. */
export const CATALOGUE_NAMES = Object.keys(CATALOGUE) as CatalogueName[];

/** Returns the entry of a dataset. */
export function entryOf(name: CatalogueName): CatalogueEntry {
  return CATALOGUE[name];
}
