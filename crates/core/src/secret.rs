//! What must not be seen: keys, tickets, passwords.

use std::fmt;

use zeroize::Zeroize;

/// A value that is never printed by accident, and overwritten when it is dropped.
///
/// Moves may leave copies behind; what stays where it is made, as text and byte vectors do, leaves none.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_stars() {
        #[derive(Debug)]
        struct Holder {
            key: Secret<String>,
        }
        let holder = Holder { key: "tk_abc".to_owned().into() };
        assert_eq!(format!("{holder:?}"), "Holder { key: *** }");
        assert_eq!(holder.key.reveal(), "tk_abc");
    }

    #[test]
    fn a_dropped_secret_is_overwritten() {
        #[derive(Debug)]
        struct Watched<'a>(&'a std::cell::Cell<bool>);
        impl Zeroize for Watched<'_> {
            fn zeroize(&mut self) {
                self.0.set(true);
            }
        }
        let is_zeroed = std::cell::Cell::new(false);
        drop(Secret::new(Watched(&is_zeroed)));
        assert!(is_zeroed.get());
    }
}
