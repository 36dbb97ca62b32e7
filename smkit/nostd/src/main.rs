//! The self-tests of smkit with nothing but `core` and `alloc`; the exit code says how they went.
//!
//! The panic handler is the proof: were the standard library linked anywhere below, there would be two.

#![no_std]
#![no_main]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

/// 0 when every answer was the known one.
// SAFETY: nothing else in this program is called `main`; the arguments of the C convention are not looked at.
#[unsafe(no_mangle)]
pub extern "C" fn main(_count: i32, _words: *const *const u8) -> i32 {
    i32::from(!smkit::selftest::run().all())
}

// A program of the system starts in its C library, which also has the `memcpy` that `core` calls.
#[cfg(not(target_family = "wasm"))]
#[link(name = "c")]
unsafe extern "C" {}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {}
}

/// `core` is compiled to unwind and names this function; a program that aborts never calls it.
// SAFETY: nothing else in this program has this name.
#[cfg(not(target_family = "wasm"))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Memory is handed out from the front and never taken back: the program lives for milliseconds.
struct Heap {
    bytes: UnsafeCell<[u8; HEAP_BYTES]>,
    used: AtomicUsize,
}

// SAFETY: the counter hands every byte to one owner only.
unsafe impl Sync for Heap {}

// SAFETY: the pieces are disjoint, inside the array, aligned as asked, and valid for ever.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let front = self.bytes.get().cast::<u8>();
        let mut at = 0;
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let address = (front as usize).checked_add(used)?;
            at = used + (address.checked_next_multiple_of(layout.align())? - address);
            at.checked_add(layout.size()).filter(|end| *end <= HEAP_BYTES)
        });
        match taken {
            // SAFETY: `at` is inside the array, as just checked.
            Ok(_) => unsafe { front.add(at) },
            Err(_) => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _place: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static HEAP: Heap = Heap { bytes: UnsafeCell::new([0; HEAP_BYTES]), used: AtomicUsize::new(0) };

const HEAP_BYTES: usize = 16 << 20;
