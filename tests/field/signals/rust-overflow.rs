// SPDX-License-Identifier: GPL-2.0-only OR MIT
// field: Rust tells of an overflow of its stack on an alternate one of 8 KiB, and aborts
// build: rustc -g -O -o rust-overflow $SRC/rust-overflow.rs
// run: rust-overflow 2>&1 | sed 's/([0-9]*)//'; rust-overflow thread 2>&1 | sed 's/([0-9]*)//'
// needs: rustc
// modes: full guard
// expect: errors crash 2
#[inline(never)]
fn descend(above: &[u8; 400]) -> u64 {
    let mut here = [above[0]; 400];
    here[1] = std::hint::black_box(above[2].wrapping_add(1));
    descend(std::hint::black_box(&here)) + u64::from(here[1])
}

fn main() {
    if std::env::args().count() > 1 {
        let thread = std::thread::spawn(|| println!("{}", descend(&[1; 400])));
        thread.join().unwrap();
    }
    println!("{}", descend(&[1; 400]));
}
