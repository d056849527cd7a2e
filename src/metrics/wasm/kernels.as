// Passes over rows of numbers, with SIMD, in AssemblyScript; scripts/kernels.ts compiles them. All arrays lie in the imported
// memory, row-major, given by the address of their first byte.

/**
 * `sums[label] += feature` (float32 n×D, float64 C×D), with the rounding error of each addition added to `errors` (Knuth's TwoSum:
 * total = s + x, added = total − s, error = (s − (total − added)) + (x − added)), for the features in the order of `order` (int32 n).
 * Four of a class that follow each other are added up first.
 */
export function addRows(
  features: usize, labels: usize, order: usize, rows: i32, columns: i32, sums: usize, errors: usize,
): void {
  const width = <usize>columns << 2;
  for (let i = 0; i < rows; ) {
    const at = order + (<usize>i << 2);
    const label = labelAt(labels, at);
    const place = (<usize>label * columns) << 3;
    const x = features + load<i32>(at) * width;
    if (i + 3 < rows && labelAt(labels, at + 12) == label) {
      const y = features + load<i32>(at, 4) * width;
      const z = features + load<i32>(at, 8) * width;
      addFour(x, y, z, features + load<i32>(at, 12) * width, width, sums + place, errors + place);
      i += 4;
    } else {
      addOne(x, width, sums + place, errors + place);
      i++;
    }
  }
}

@inline
function labelAt(labels: usize, place: usize): i32 {
  return load<i32>(labels + (<usize>load<i32>(place) << 2));
}

@inline
function addOne(x: usize, width: usize, s: usize, e: usize): void {
  const end = x + width;
  const vectorEnd = x + (width & ~15);
  for (; x < vectorEnd; x += 16, s += 32, e += 32) {
    const four = v128.load(x);
    addTwo(s, e, lowHalf(four));
    addTwo(s + 16, e + 16, highHalf(four));
  }
  for (; x < end; x += 4, s += 8, e += 8) addNumber(s, e, <f64>load<f32>(x));
}

@inline
function addFour(x: usize, y: usize, z: usize, u: usize, width: usize, s: usize, e: usize): void {
  const end = x + width;
  const vectorEnd = x + (width & ~15);
  for (; x < vectorEnd; x += 16, y += 16, z += 16, u += 16, s += 32, e += 32) {
    const a = v128.load(x);
    const b = v128.load(y);
    const c = v128.load(z);
    const d = v128.load(u);
    addTwo(s, e, f64x2.add(f64x2.add(lowHalf(a), lowHalf(b)), f64x2.add(lowHalf(c), lowHalf(d))));
    addTwo(s + 16, e + 16, f64x2.add(f64x2.add(highHalf(a), highHalf(b)), f64x2.add(highHalf(c), highHalf(d))));
  }
  for (; x < end; x += 4, y += 4, z += 4, u += 4, s += 8, e += 8)
    addNumber(s, e, <f64>load<f32>(x) + <f64>load<f32>(y) + (<f64>load<f32>(z) + <f64>load<f32>(u)));
}

@inline
function addNumber(s: usize, e: usize, value: f64): void {
  const sum = load<f64>(s);
  const total = sum + value;
  const added = total - sum;
  store<f64>(e, load<f64>(e) + (sum - (total - added) + (value - added)));
  store<f64>(s, total);
}

@inline
function addTwo(s: usize, e: usize, value: v128): void {
  const sum = v128.load(s);
  const total = f64x2.add(sum, value);
  const added = f64x2.sub(total, sum);
  const error = f64x2.add(f64x2.sub(sum, f64x2.sub(total, added)), f64x2.sub(value, added));
  v128.store(e, f64x2.add(v128.load(e), error));
  v128.store(s, total);
}

/** `residuals = feature − references[label]` (float64 n×D) and `squares = ‖feature − references[label]‖²` (float64 n). */
export function subtractRows(
  features: usize, labels: usize, rows: i32, columns: i32, references: usize, residuals: usize, squares: usize,
): void {
  subtract<f64>(features, labels, rows, columns, references, residuals, squares);
}

/** As `subtractRows`, of float64 residuals that are then rounded to float32 to be stored. */
export function subtractRowsRounded(
  features: usize, labels: usize, rows: i32, columns: i32, references: usize, residuals: usize, squares: usize,
): void {
  subtract<f32>(features, labels, rows, columns, references, residuals, squares);
}

@inline
function subtract<T>(
  features: usize, labels: usize, rows: i32, columns: i32, references: usize, residuals: usize, squares: usize,
): void {
  let x = features;
  let r = residuals;
  for (let row = 0; row < rows; row++) {
    let m = references + ((<usize>load<i32>(labels + (<usize>row << 2)) * columns) << 3);
    const end = x + (<usize>columns << 2);
    const vectorEnd = x + ((<usize>columns & ~3) << 2);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (; x < vectorEnd; x += 16, m += 32, r += 4 * sizeof<T>()) {
      const four = v128.load(x);
      const first = f64x2.sub(lowHalf(four), v128.load(m));
      const second = f64x2.sub(highHalf(four), v128.load(m, 16));
      if (sizeof<T>() == 8) {
        v128.store(r, first);
        v128.store(r, second, 16);
      } else v128.store(r, roundedPair(first, second));
      low = f64x2.add(low, f64x2.mul(first, first));
      high = f64x2.add(high, f64x2.mul(second, second));
    }
    low = f64x2.add(low, high);
    let square = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
    for (; x < end; x += 4, m += 8, r += sizeof<T>()) {
      const difference = <f64>load<f32>(x) - load<f64>(m);
      store<T>(r, <T>difference);
      square += difference * difference;
    }
    store<f64>(squares + (<usize>row << 3), square);
  }
}

/** `rounded` (float32 n×K) of float64 rows, and `squares = ‖row‖²` (float64 n) of these. */
export function roundRows(values: usize, rows: i32, columns: i32, rounded: usize, squares: usize): void {
  let x = values;
  let r = rounded;
  for (let row = 0; row < rows; row++) {
    const end = x + (<usize>columns << 3);
    const vectorEnd = x + ((<usize>columns & ~3) << 3);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (; x < vectorEnd; x += 32, r += 16) {
      const first = v128.load(x);
      const second = v128.load(x, 16);
      v128.store(r, roundedPair(first, second));
      low = f64x2.add(low, f64x2.mul(first, first));
      high = f64x2.add(high, f64x2.mul(second, second));
    }
    low = f64x2.add(low, high);
    let square = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
    for (; x < end; x += 8, r += 4) {
      const value = load<f64>(x);
      store<f32>(r, <f32>value);
      square += value * value;
    }
    store<f64>(squares + (<usize>row << 3), square);
  }
}

/** `squares = ‖row‖²` (float64 n) of float32 rows, summed in float64. */
export function squareRows(values: usize, rows: i32, columns: i32, squares: usize): void {
  let x = values;
  for (let row = 0; row < rows; row++) {
    const end = x + (<usize>columns << 2);
    const vectorEnd = x + ((<usize>columns & ~3) << 2);
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (; x < vectorEnd; x += 16) {
      const four = v128.load(x);
      const first = lowHalf(four);
      const second = highHalf(four);
      low = f64x2.add(low, f64x2.mul(first, first));
      high = f64x2.add(high, f64x2.mul(second, second));
    }
    low = f64x2.add(low, high);
    let square = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
    for (; x < end; x += 4) {
      const value = <f64>load<f32>(x);
      square += value * value;
    }
    store<f64>(squares + (<usize>row << 3), square);
  }
}

/**
 * Each row (float32 n×D) as `scale · (65,536 a + 256 b + c)` with bytes −128 to 127, to half of its scale, which is the largest magnitude of
 * the row over 127·65,536 (float32 n). Bytes are written with 128 added to them: `one` (n×D) has a of each row, `two` (n×2D) a and then b,
 * `three` (n×3D) a, b and c.
 */
export function splitRows(values: usize, rows: i32, columns: i32, one: usize, two: usize, three: usize, scales: usize): void {
  const width = <usize>columns;
  let x = values;
  for (let row = 0; row < rows; row++) {
    const end = x + (width << 2);
    const vectorEnd = x + ((width & ~15) << 2);
    let highest = f32x4.splat(0);
    for (let at = x; at < x + ((width & ~3) << 2); at += 16) highest = f32x4.pmax(highest, f32x4.abs(v128.load(at)));
    let most = highestLane(highest);
    for (let at = x + ((width & ~3) << 2); at < end; at += 4) most = max(most, abs(load<f32>(at)));
    const factor: f32 = most > 1e-30 ? 8_323_072 / most : 0;
    const factors = f32x4.splat(factor);
    store<f32>(scales + (<usize>row << 2), most / 8_323_072);
    for (; x < vectorEnd; x += 64, one += 16, two += 16, three += 16) {
      const first = wholeNumbers(x, factors);
      const second = wholeNumbers(x + 16, factors);
      const third = wholeNumbers(x + 32, factors);
      const fourth = wholeNumbers(x + 48, factors);
      // bytes 2 and 1 of each number of two vectors, then those of all four
      const front = v128.shuffle<u8>(first, second, 2, 6, 10, 14, 18, 22, 26, 30, 1, 5, 9, 13, 17, 21, 25, 29);
      const back = v128.shuffle<u8>(third, fourth, 2, 6, 10, 14, 18, 22, 26, 30, 1, 5, 9, 13, 17, 21, 25, 29);
      const a = v128.shuffle<i64>(front, back, 0, 2);
      const b = v128.shuffle<i64>(front, back, 1, 3);
      const lowFront = v128.shuffle<u8>(first, second, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0);
      const lowBack = v128.shuffle<u8>(third, fourth, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store(one, a);
      v128.store(two, a);
      v128.store(two + width, b);
      v128.store(three, a);
      v128.store(three + width, b);
      v128.store(three + 2 * width, v128.shuffle<i64>(lowFront, lowBack, 0, 2));
    }
    for (; x < end; x += 4, one++, two++, three++) {
      const number = <i32>nearest(load<f32>(x) * factor) + 0x80_80_80;
      store<u8>(one, number >> 16);
      store<u8>(two, number >> 16);
      store<u8>(two + width, number >> 8);
      store<u8>(three, number >> 16);
      store<u8>(three + width, number >> 8);
      store<u8>(three + 2 * width, number);
    }
    two += width;
    three += 2 * width;
  }
}

/** Four numbers as whole ones of three bytes, with 128 added to each byte. */
@inline
function wholeNumbers(x: usize, factors: v128): v128 {
  const numbers = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x), factors)));
  return i32x4.add(numbers, i32x4.splat(0x80_80_80));
}

/** `products = scale_row · scale_column · (65,536 one + 256 two + three)` (float32 n×K) of int32 n×K; without `two` that of `one` alone. */
export function joinProducts(
  one: usize, two: usize, three: usize, rows: i32, columns: i32, scales: usize, columnScales: usize, products: usize,
): void {
  let at: usize = 0;
  const width = <usize>columns << 2;
  for (let row = 0; row < rows; row++) {
    const scale = load<f32>(scales + (<usize>row << 2));
    const scaleVector = f32x4.splat(scale);
    const end = at + width;
    const vectorEnd = at + (width & ~15);
    let c = columnScales;
    for (; at < vectorEnd; at += 16, c += 16) {
      let sum = f32x4.mul(f32x4.convert_i32x4_s(v128.load(one + at)), f32x4.splat(65_536));
      if (two) {
        const rest = f32x4.mul(f32x4.convert_i32x4_s(v128.load(two + at)), f32x4.splat(256));
        sum = f32x4.add(sum, f32x4.add(rest, f32x4.convert_i32x4_s(v128.load(three + at))));
      }
      v128.store(products + at, f32x4.mul(sum, f32x4.mul(scaleVector, v128.load(c))));
    }
    for (; at < end; at += 4, c += 4) {
      let sum = <f32>load<i32>(one + at) * 65_536;
      if (two) sum += <f32>load<i32>(two + at) * 256 + <f32>load<i32>(three + at);
      store<f32>(products + at, sum * (scale * load<f32>(c)));
    }
  }
}

/**
 * The column of the largest number of each row (int32 n) of float32 numbers, the first of equal ones. Returns the first row
 * with a number that is not finite, or −1.
 */
export function argmaxRows(values: usize, rows: i32, columns: i32, largest: usize): i32 {
  for (let row = 0; row < rows; row++) {
    const from = values + ((<usize>row * columns) << 2);
    const end = from + (<usize>columns << 2);
    const vectorEnd = from + ((<usize>columns & ~3) << 2);
    let highest = f32x4.splat(-Infinity);
    let differ = i32x4.splat(0); // of what is not finite x − x is NaN
    for (let x = from; x < vectorEnd; x += 16) {
      const four = v128.load(x);
      const difference = f32x4.sub(four, four);
      differ = v128.or(differ, f32x4.ne(difference, difference));
      highest = f32x4.pmax(highest, four);
    }
    let finite = !v128.any_true(differ);
    let most = highestLane(highest);
    for (let x = vectorEnd; x < end; x += 4) {
      const value = load<f32>(x);
      if (value - value != 0) finite = false;
      if (value > most) most = value;
    }
    if (!finite) return row;
    store<i32>(largest + (<usize>row << 2), placeOf(most, from, vectorEnd));
  }
  return -1;
}

/**
 * For each row p of `products` (float32 n×C), of which `rowOf` (int32 n) names a row o of `offsets` (float32 R×C): the class of
 * the largest `p_c + o_c` (int32 n), and how many classes are within `margins` (float32 n) of it. The sums become the products.
 */
export function nearestRows(
  products: usize, rowOf: usize, rows: i32, columns: i32, offsets: usize, margins: usize, nearest: usize, candidates: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const at = <usize>row << 2;
    const from = products + ((<usize>row * columns) << 2);
    const end = from + (<usize>columns << 2);
    const vectorEnd = from + ((<usize>columns & ~3) << 2);
    let o = offsets + ((<usize>load<i32>(rowOf + at) * columns) << 2);
    let highest = f32x4.splat(-Infinity);
    let x = from;
    for (; x < vectorEnd; x += 16, o += 16) {
      const score = f32x4.add(v128.load(x), v128.load(o));
      v128.store(x, score);
      highest = f32x4.pmax(highest, score);
    }
    let most = highestLane(highest);
    for (; x < end; x += 4, o += 4) {
      const score = load<f32>(x) + load<f32>(o);
      store<f32>(x, score);
      if (score > most) most = score;
    }
    const least = most - load<f32>(margins + at);
    const leasts = f32x4.splat(least);
    let counts = i32x4.splat(0);
    for (x = from; x < vectorEnd; x += 16) counts = i32x4.sub(counts, f32x4.ge(v128.load(x), leasts));
    let count =
      i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1) +
      i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
    for (; x < end; x += 4) if (load<f32>(x) >= least) count++;
    store<i32>(nearest + at, placeOf(most, from, vectorEnd));
    store<i32>(candidates + at, count);
  }
}

/** `products = A vector` (float64 n) of a symmetric A: the leading n×n part of a float64 matrix of `columns`, lower triangle. */
export function symmetricProduct(matrix: usize, columns: i32, size: i32, vector: usize, products: usize): void {
  memory.fill(products, 0, <usize>size << 3);
  for (let row = 0; row < size; row++) {
    const factor = load<f64>(vector + (<usize>row << 3));
    const factors = f64x2.splat(factor);
    let a = matrix + ((<usize>row * columns) << 3);
    let v = vector;
    let p = products;
    const diagonal = a + (<usize>row << 3);
    const vectorEnd = a + ((<usize>row & ~1) << 3);
    let sums = f64x2.splat(0);
    for (; a < vectorEnd; a += 16, v += 16, p += 16) {
      const two = v128.load(a);
      sums = f64x2.add(sums, f64x2.mul(two, v128.load(v)));
      v128.store(p, f64x2.add(v128.load(p), f64x2.mul(two, factors)));
    }
    let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    for (; a < diagonal; a += 8, v += 8, p += 8) {
      sum += load<f64>(a) * load<f64>(v);
      store<f64>(p, load<f64>(p) + load<f64>(a) * factor);
    }
    store<f64>(p, load<f64>(p) + sum + load<f64>(a) * factor);
  }
}

/** `A −= u vᵀ + v uᵀ` (u, v float64 n) of the same part of a matrix. */
export function subtractProducts(matrix: usize, columns: i32, size: i32, u: usize, v: usize): void {
  for (let row = 0; row < size; row++) {
    const at = <usize>row << 3;
    const uRow = load<f64>(u + at);
    const vRow = load<f64>(v + at);
    const us = f64x2.splat(uRow);
    const vs = f64x2.splat(vRow);
    let a = matrix + ((<usize>row * columns) << 3);
    const end = a + at + 8;
    const vectorEnd = a + (((<usize>row + 1) & ~1) << 3);
    let k: usize = 0;
    for (; a < vectorEnd; a += 16, k += 16) {
      const product = f64x2.add(f64x2.mul(us, v128.load(v + k)), f64x2.mul(vs, v128.load(u + k)));
      v128.store(a, f64x2.sub(v128.load(a), product));
    }
    for (; a < end; a += 8, k += 8)
      store<f64>(a, load<f64>(a) - (uRow * load<f64>(v + k) + vRow * load<f64>(u + k)));
  }
}

@inline
function lowHalf(four: v128): v128 {
  return f64x2.promote_low_f32x4(four);
}

@inline
function highHalf(four: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(four, four, 1, 1));
}

@inline
function roundedPair(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

@inline
function highestLane(four: v128): f32 {
  return max(
    max(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    max(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
}

/** The first place from `from` on that holds `value`, which is in the row: four at a time up to `vectorEnd`. */
@inline
function placeOf(value: f32, from: usize, vectorEnd: usize): i32 {
  const values = f32x4.splat(value);
  let x = from;
  for (; x < vectorEnd; x += 16) {
    const mask = i32x4.bitmask(f32x4.eq(v128.load(x), values));
    if (mask) return <i32>((x - from) >> 2) + ctz(mask);
  }
  while (load<f32>(x) != value) x += 4;
  return <i32>((x - from) >> 2);
}
