  ;; Each tick adds 300 to a number in shared data, one at a time, with compare-and-swap.
  (data (i32.const 0) "visits")
  (data (i32.const 16) "retries")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set_tick (i32.const 1)))
    (drop (call $define_metric (i32.const 0) (i32.const 16) (i32.const 7) (i32.const 32)))
    (i32.const 1))

  ;; One more, or not if somebody else was quicker.
  (func $try (result i32)
    (local $value i32) (local $cas i32)
    (if (i32.eqz (call $get_shared (i32.const 0) (i32.const 6) (i32.const 40) (i32.const 44) (i32.const 48)))
      (then
        (local.set $value (i32.load (i32.load (i32.const 40))))
        (local.set $cas (i32.load (i32.const 48))))
      ;; Creates; a number that no cas ever has tells a missing key from one that has just been made.
      (else (local.set $cas (i32.const 0xfffffff1))))
    (i32.store (i32.const 52) (i32.add (local.get $value) (i32.const 1)))
    (call $set_shared (i32.const 0) (i32.const 6) (i32.const 52) (i32.const 4) (local.get $cas)))

  (func (export "proxy_on_tick") (param i32)
    (local $done i32)
    (loop $next
      (global.set $free (i32.const 65536))
      (if (call $try)
        (then (drop (call $increment_metric (i32.load (i32.const 32)) (i64.const 1))))
        (else (local.set $done (i32.add (local.get $done) (i32.const 1)))))
      (br_if $next (i32.lt_u (local.get $done) (i32.const 300)))))
