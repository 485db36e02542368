// SPDX-License-Identifier: GPL-2.0-only OR MIT
// field: names of Rust's older mangling, which end with a hash
// build: rustc -g -O --crate-name rust -o rust $SRC/rust.rs
// needs: rustc
// modes: full
// expect: errors 0
// expect: says <rust::Square as rust::Shape>::area(  |$)
// expect: not ::h[0-9a-f]{16}\b
trait Shape {
    fn area(&self) -> Vec<u8>;
}

struct Square(usize);

impl Shape for Square {
    #[inline(never)]
    fn area(&self) -> Vec<u8> {
        vec![1; self.0 * 1000]
    }
}

fn main() {
    let shape: Box<dyn Shape> = Box::new(Square(std::env::args().count()));
    let kept = shape.area();
    println!("{}", kept.len());
    std::mem::forget(kept);
}
