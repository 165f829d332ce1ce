  ;; Logs every callback of a stream and does what its configuration says, one letter for each of: request headers, body,
  ;; trailers, response headers, body, trailers.
  ;;   0 to 3  return that action            e  pause until the end of the stream
  ;;   r       answer 403 `no` with x-reply: 1, return Pause        R  the same twice, and return Continue
  ;;   w       replace the body by `new`     a  append `+`
  ;;   g       answer with nothing but a gRPC status of 9
  ;;   x       close the stream              t  trap
  ;;   c       resume the request (in a request callback) or the response, and return Pause
  ;; A line is: callback, size, end of stream, and the statuses of reading and changing request headers, then response
  ;; headers.
  (data (i32.const 0) "000000")
  (data (i32.const 16) "nonew+")
  ;; One header line, `x-reply: 1`.
  (data (i32.const 32) "\01\00\00\00\07\00\00\00\01\00\00\00x-reply\001\00")

  (func (export "proxy_on_configure") (param $root i32) (param $size i32) (result i32)
    (drop (call $get_buffer (i32.const 7) (i32.const 0) (i32.const 6) (i32.const 512) (i32.const 516)))
    (memory.copy (i32.const 0) (i32.load (i32.const 512)) (i32.load (i32.const 516)))
    (i32.const 1))

  (func $deep_inside unreachable)

  (func $say_line (param $letter i32) (param $size i32) (param $end i32)
    (call $put (local.get $letter))
    (call $space)
    (call $put_number (local.get $size))
    (call $space)
    (call $put_number (local.get $end))
    (call $space)
    (call $put_number (call $get_pairs (i32.const 0) (i32.const 512) (i32.const 516)))
    (call $put_number (call $remove_header (i32.const 0) (i32.const 16) (i32.const 2)))
    (call $put_number (call $get_pairs (i32.const 2) (i32.const 512) (i32.const 516)))
    (call $put_number (call $remove_header (i32.const 2) (i32.const 16) (i32.const 2)))
    (call $say))

  (func $answer
    (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 2)
      (i32.const 32) (i32.const 22) (i32.const -1))))

  (func $act (param $index i32) (param $size i32) (param $end i32) (result i32)
    (local $letter i32) (local $direction i32)
    (call $say_line (i32.load8_u (i32.add (local.get $index) (i32.const 80))) (local.get $size) (local.get $end))
    (local.set $direction (i32.gt_u (local.get $index) (i32.const 2)))
    (local.set $letter (i32.load8_u (local.get $index)))
    (if (i32.eq (local.get $letter) (i32.const 101)) ;; e
      (then (return (i32.eqz (local.get $end)))))
    (if (i32.eq (local.get $letter) (i32.const 114)) ;; r
      (then (call $answer) (return (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 82)) ;; R
      (then
        (call $answer)
        (drop (call $reply (i32.const 500) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const -1)))
        (return (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 119)) ;; w
      (then
        (drop (call $set_buffer (local.get $direction) (i32.const 0) (i32.const 999999) (i32.const 18) (i32.const 3)))
        (return (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 97)) ;; a
      (then
        (drop (call $set_buffer (local.get $direction) (i32.const 999999) (i32.const 0) (i32.const 21) (i32.const 1)))
        (return (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 103)) ;; g
      (then
        (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 9)))
        (return (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 120)) ;; x
      (then (drop (call $close (local.get $direction))) (return (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 99)) ;; c
      (then (drop (call $resume (local.get $direction))) (return (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 116)) ;; t
      (then (call $deep_inside)))
    (i32.sub (local.get $letter) (i32.const 48)))

  (data (i32.const 80) "HBThbt")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $act (i32.const 0) (local.get 1) (local.get 2)))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
    (call $act (i32.const 1) (local.get 1) (local.get 2)))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
    (call $act (i32.const 2) (local.get 1) (i32.const 1)))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (call $act (i32.const 3) (local.get 1) (local.get 2)))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
    (call $act (i32.const 4) (local.get 1) (local.get 2)))
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32)
    (call $act (i32.const 5) (local.get 1) (i32.const 1)))
  (func (export "proxy_on_log") (param i32)
    (call $say_line (i32.const 76) (i32.const 0) (i32.const 0))) ;; L
  (func (export "proxy_on_done") (param i32) (result i32)
    (call $put (i32.const 68)) (call $say) ;; D
    (i32.const 1))
  (func (export "proxy_on_delete") (param i32)
    (call $put (i32.const 88)) (call $say)) ;; X
