/** What is known of a stored object without reading it. */
export interface ObjectHead {
  /** In canonical form: the URL `list` yields for the same object. */
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  /** The store's own version mark; changes whenever the content does. */
  readonly etag: string;
}

/** An object being read: its head, and its bytes as they come. */
export interface ObjectBody {
  readonly head: ObjectHead;
  /** To be iterated once: until then, or until it is left, it holds a file or a connection. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/** Bytes of an object, `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A file on this machine whose bytes are stored as they are, streamed. */
export interface LocalFile {
  readonly path: string;
}

/** Options of every call that waits for a store. */
export interface StorageCall {
  /** Ends the call: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Objects under URLs, percent-encoded as in every URL. A write is atomic: a reader sees the old object, none, or the
 * whole new one. Every method throws CollapsarError: `unsupported-url` (not the URL of an object), `forbidden-url`,
 * `object-not-found`, `storage-unavailable`.
 */
export interface Storage {
  /** Returns size and version of the object. */
  head(url: string, call?: StorageCall): Promise<ObjectHead>;
  /** Opens the object for one streamed read. */
  read(url: string, call?: StorageCall): Promise<ObjectBody>;
  /**
   * Returns the bytes `range.start` to `range.end` (exclusive) of the version that `head` is of; a version that is no longer
   * there is `storage-unavailable`.
   */
  readRange(head: ObjectHead, range: ByteRange, call?: StorageCall): Promise<Uint8Array>;
  /** Stores bytes, or those of a local file, under `url`, replacing what was there, parent folders made as needed. */
  write(url: string, content: Uint8Array | LocalFile, call?: StorageCall): Promise<ObjectHead>;
  /** Yields every object whose URL starts with `prefix + "/"`, in ascending order of URL (code units). */
  list(prefix: string, call?: StorageCall): AsyncIterable<ObjectHead>;
  /** Removes the object; removing what is not there is no error. */
  remove(url: string, call?: StorageCall): Promise<void>;
}
