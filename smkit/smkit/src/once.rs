//! Values made once, on first use, with nothing of the standard library.

use alloc::boxed::Box;
use core::ops::Deref;

use once_cell::race::OnceBox;

/// A place for one value.
///
/// Threads that come first together may each make it; one of the values stays and the others are dropped.
pub(crate) struct OnceLock<T>(OnceBox<T>);

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceBox::new())
    }

    /// The value, if there is one by now.
    #[cfg(test)]
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, made by `make` when there is none yet.
    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(|| Box::new(make()))
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A value of a `static` that is made when it is first looked at.
pub(crate) struct LazyLock<T> {
    value: OnceLock<T>,
    make: fn() -> T,
}

impl<T> LazyLock<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self { value: OnceLock::new(), make }
    }
}

impl<T> Deref for LazyLock<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(self.make)
    }
}
