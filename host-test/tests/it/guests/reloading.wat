  ;; Accepts every configuration but an empty one; logs root contexts as they come and go, and for each request the root
  ;; context that it belongs to.
  (global $root (mut i32) (i32.const 0))
  (func (export "proxy_on_context_create") (param $id i32) (param $root i32) (global.set $root (local.get $root)))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    (call $put (i32.const 118)) (call $space) (call $put_number (local.get 1)) (call $say) ;; v, size of the configuration
    (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (call $put (i32.const 99)) (call $space) (call $put_number (local.get 0)) (call $say) ;; c
    (i32.ne (local.get 1) (i32.const 0)))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $put (i32.const 114)) (call $space) (call $put_number (global.get $root)) (call $say) ;; r
    (i32.const 0))
  (func (export "proxy_on_delete") (param i32)
    (call $put (i32.const 100)) (call $space) (call $put_number (local.get 0)) (call $say)) ;; d
