;; Reads the shorthand in which shorthand.ts writes the archive: letters for frequent words, indentation left out.
;; Change both together. In WebAssembly since a run has no time to warm JavaScript up: there it takes 12 ms of 50, here 2.

(module
  (memory (export "memory") 1)

  ;; How many levels deeper the next line is expected after one that ends like this: { ( [
  (func $opens (param $byte i32) (result i32)
    (i32.or
      (i32.or (i32.eq (local.get $byte) (i32.const 0x7b)) (i32.eq (local.get $byte) (i32.const 0x28)))
      (i32.eq (local.get $byte) (i32.const 0x5b))))

  ;; How many levels less deep a line is that begins like this: } ) ]
  (func $closes (param $byte i32) (result i32)
    (i32.or
      (i32.or (i32.eq (local.get $byte) (i32.const 0x7d)) (i32.eq (local.get $byte) (i32.const 0x29)))
      (i32.eq (local.get $byte) (i32.const 0x5d))))

  ;; Reads from $in up to $end, writes from $out on, and returns where that ends. The words stand one after the other at
  ;; $words; at $ends, for each, where it begins and the next one does, in 16 bits.
  (func (export "read") (param $in i32) (param $end i32) (param $words i32) (param $ends i32) (param $out i32) (result i32)
    (local $byte i32) (local $shift i32) (local $from i32) (local $size i32)
    (local $depth i32)    ;; of this line, in levels of two spaces
    (local $opened i32)   ;; whether the last line that wasn't empty has opened a bracket
    (local $capital i32)  ;; what makes the next word's first letter a capital one
    (local $inside i32)   ;; whether this line has begun
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $in) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $in)))
        (local.set $in (i32.add (local.get $in) (i32.const 1)))

        (if (i32.and (i32.eqz (local.get $inside)) (i32.ne (local.get $byte) (i32.const 0x0a)))
          (then
            (local.set $inside (i32.const 1))
            ;; PLAIN: the line has its indentation, which is counted.
            (if (i32.eq (local.get $byte) (i32.const 0x02))
              (then
                (local.set $from (local.get $in))
                (block $counted
                  (loop $count
                    (br_if $counted (i32.ge_u (local.get $from) (local.get $end)))
                    (br_if $counted (i32.ne (i32.load8_u (local.get $from)) (i32.const 0x20)))
                    (local.set $from (i32.add (local.get $from) (i32.const 1)))
                    (br $count)))
                (local.set $depth (i32.shr_u (i32.sub (local.get $from) (local.get $in)) (i32.const 1)))
                (br $next)))
            ;; SHIFTS: the line lies deeper, or less deep, than expected.
            (local.set $shift (i32.const 0))
            (if (i32.eq (i32.and (local.get $byte) (i32.const 0xf0)) (i32.const 0x10))
              (then
                (local.set $shift (i32.sub (local.get $byte) (i32.const 0x18)))
                (local.set $byte (i32.load8_u (local.get $in)))
                (local.set $in (i32.add (local.get $in) (i32.const 1)))))
            (local.set $depth
              (i32.add
                (i32.add (local.get $depth) (local.get $shift))
                (i32.sub (local.get $opened) (call $closes (local.get $byte)))))
            (memory.fill (local.get $out) (i32.const 0x20) (i32.shl (local.get $depth) (i32.const 1)))
            (local.set $out (i32.add (local.get $out) (i32.shl (local.get $depth) (i32.const 1))))))

        (if (i32.eq (local.get $byte) (i32.const 0x0a))
          (then
            (if (local.get $inside)
              (then (local.set $opened (call $opens (i32.load8_u (i32.sub (local.get $out) (i32.const 1)))))))
            (local.set $inside (i32.const 0))))

        ;; A letter of two bytes that stands for a word.
        (if (i32.and (i32.ge_u (local.get $byte) (i32.const 0xc4)) (i32.lt_u (local.get $byte) (i32.const 0xe0)))
          (then
            (local.set $byte
              (i32.sub
                (i32.or
                  (i32.shl (i32.and (local.get $byte) (i32.const 0x1f)) (i32.const 6))
                  (i32.and (i32.load8_u (local.get $in)) (i32.const 0x3f)))
                (i32.const 0x100)))
            (local.set $in (i32.add (local.get $in) (i32.const 1)))
            (local.set $byte (i32.add (local.get $ends) (i32.shl (local.get $byte) (i32.const 1))))
            (local.set $from (i32.load16_u (local.get $byte)))
            (local.set $size (i32.sub (i32.load16_u offset=2 (local.get $byte)) (local.get $from)))
            (memory.copy (local.get $out) (i32.add (local.get $words) (local.get $from)) (local.get $size))
            (i32.store8 (local.get $out) (i32.sub (i32.load8_u (local.get $out)) (local.get $capital)))
            (local.set $capital (i32.const 0))
            (local.set $out (i32.add (local.get $out) (local.get $size)))
            (br $next)))

        ;; CAPITAL
        (if (i32.eq (local.get $byte) (i32.const 0x01))
          (then
            (local.set $capital (i32.const 0x20))
            (br $next)))

        (i32.store8 (local.get $out) (local.get $byte))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (br $next)))
    (local.get $out)))
