;; Two passes over rows of float32 features, N·D each, with SIMD. All arrays are in the imported memory, given by their byte
;; offset, row-major; `labels` (int32) names for each feature a row of the C×D float64 array beside it.
(module
  (import "host" "memory" (memory 1))

  ;; sums[label] += feature for each of `rows` features, with the rounding error of each addition added to `errors`
  ;; (Knuth's TwoSum: total = s + x, added = total − s, error = (s − (total − added)) + (x − added)).
  (func (export "addRows")
    (param $features i32) (param $labels i32) (param $rows i32) (param $columns i32) (param $sums i32) (param $errors i32)
    (local $row i32) (local $x i32) (local $end i32) (local $vectorEnd i32) (local $s i32) (local $e i32)
    (local $four v128)
    (local $value f64) (local $sum f64) (local $total f64) (local $added f64)
    (local.set $x (local.get $features))
    (block $done
      (loop $rowLoop
        (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
        (local.set $s (i32.mul (i32.load (i32.add (local.get $labels) (i32.shl (local.get $row) (i32.const 2))))
                               (i32.shl (local.get $columns) (i32.const 3))))
        (local.set $e (i32.add (local.get $errors) (local.get $s)))
        (local.set $s (i32.add (local.get $sums) (local.get $s)))
        (local.set $end (i32.add (local.get $x) (i32.shl (local.get $columns) (i32.const 2))))
        (local.set $vectorEnd
          (i32.add (local.get $x) (i32.shl (i32.and (local.get $columns) (i32.const -4)) (i32.const 2))))
        (block $vectorDone
          (loop $vector
            (br_if $vectorDone (i32.ge_u (local.get $x) (local.get $vectorEnd)))
            (local.set $four (v128.load (local.get $x)))
            (call $addTwo (local.get $s) (local.get $e) (f64x2.promote_low_f32x4 (local.get $four)))
            (call $addTwo
              (i32.add (local.get $s) (i32.const 16))
              (i32.add (local.get $e) (i32.const 16))
              (f64x2.promote_low_f32x4
                (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $four) (local.get $four))))
            (local.set $x (i32.add (local.get $x) (i32.const 16)))
            (local.set $s (i32.add (local.get $s) (i32.const 32)))
            (local.set $e (i32.add (local.get $e) (i32.const 32)))
            (br $vector)))
        (block $tailDone
          (loop $tail
            (br_if $tailDone (i32.ge_u (local.get $x) (local.get $end)))
            (local.set $value (f64.promote_f32 (f32.load (local.get $x))))
            (local.set $sum (f64.load (local.get $s)))
            (local.set $total (f64.add (local.get $sum) (local.get $value)))
            (local.set $added (f64.sub (local.get $total) (local.get $sum)))
            (f64.store (local.get $e)
              (f64.add (f64.load (local.get $e))
                (f64.add
                  (f64.sub (local.get $sum) (f64.sub (local.get $total) (local.get $added)))
                  (f64.sub (local.get $value) (local.get $added)))))
            (f64.store (local.get $s) (local.get $total))
            (local.set $x (i32.add (local.get $x) (i32.const 4)))
            (local.set $s (i32.add (local.get $s) (i32.const 8)))
            (local.set $e (i32.add (local.get $e) (i32.const 8)))
            (br $tail)))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $rowLoop))))

  (func $addTwo (param $s i32) (param $e i32) (param $value v128)
    (local $sum v128) (local $total v128) (local $added v128)
    (local.set $sum (v128.load (local.get $s)))
    (local.set $total (f64x2.add (local.get $sum) (local.get $value)))
    (local.set $added (f64x2.sub (local.get $total) (local.get $sum)))
    (v128.store (local.get $e)
      (f64x2.add (v128.load (local.get $e))
        (f64x2.add
          (f64x2.sub (local.get $sum) (f64x2.sub (local.get $total) (local.get $added)))
          (f64x2.sub (local.get $value) (local.get $added)))))
    (v128.store (local.get $s) (local.get $total)))

  ;; residuals = feature − references[label] and squares = ‖feature − references[label]‖² for each of `rows` features.
  (func (export "subtractRows")
    (param $features i32) (param $labels i32) (param $rows i32) (param $columns i32) (param $references i32)
    (param $residuals i32) (param $squares i32)
    (local $row i32) (local $x i32) (local $end i32) (local $vectorEnd i32) (local $m i32) (local $r i32)
    (local $four v128) (local $two v128) (local $low v128) (local $high v128)
    (local $difference f64) (local $square f64)
    (local.set $x (local.get $features))
    (local.set $r (local.get $residuals))
    (block $done
      (loop $rowLoop
        (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
        (local.set $m
          (i32.add (local.get $references)
            (i32.mul (i32.load (i32.add (local.get $labels) (i32.shl (local.get $row) (i32.const 2))))
                     (i32.shl (local.get $columns) (i32.const 3)))))
        (local.set $end (i32.add (local.get $x) (i32.shl (local.get $columns) (i32.const 2))))
        (local.set $vectorEnd
          (i32.add (local.get $x) (i32.shl (i32.and (local.get $columns) (i32.const -4)) (i32.const 2))))
        (local.set $low (v128.const f64x2 0 0))
        (local.set $high (v128.const f64x2 0 0))
        (block $vectorDone
          (loop $vector
            (br_if $vectorDone (i32.ge_u (local.get $x) (local.get $vectorEnd)))
            (local.set $four (v128.load (local.get $x)))
            (local.set $two
              (f64x2.sub (f64x2.promote_low_f32x4 (local.get $four)) (v128.load (local.get $m))))
            (v128.store (local.get $r) (local.get $two))
            (local.set $low (f64x2.add (local.get $low) (f64x2.mul (local.get $two) (local.get $two))))
            (local.set $two
              (f64x2.sub
                (f64x2.promote_low_f32x4
                  (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $four) (local.get $four)))
                (v128.load offset=16 (local.get $m))))
            (v128.store offset=16 (local.get $r) (local.get $two))
            (local.set $high (f64x2.add (local.get $high) (f64x2.mul (local.get $two) (local.get $two))))
            (local.set $x (i32.add (local.get $x) (i32.const 16)))
            (local.set $m (i32.add (local.get $m) (i32.const 32)))
            (local.set $r (i32.add (local.get $r) (i32.const 32)))
            (br $vector)))
        (local.set $low (f64x2.add (local.get $low) (local.get $high)))
        (local.set $square
          (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low))))
        (block $tailDone
          (loop $tail
            (br_if $tailDone (i32.ge_u (local.get $x) (local.get $end)))
            (local.set $difference
              (f64.sub (f64.promote_f32 (f32.load (local.get $x))) (f64.load (local.get $m))))
            (f64.store (local.get $r) (local.get $difference))
            (local.set $square (f64.add (local.get $square) (f64.mul (local.get $difference) (local.get $difference))))
            (local.set $x (i32.add (local.get $x) (i32.const 4)))
            (local.set $m (i32.add (local.get $m) (i32.const 8)))
            (local.set $r (i32.add (local.get $r) (i32.const 8)))
            (br $tail)))
        (f64.store (i32.add (local.get $squares) (i32.shl (local.get $row) (i32.const 3))) (local.get $square))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $rowLoop)))))
