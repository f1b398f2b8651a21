//! The one place where the controller takes random bytes from the kernel.

/// Makes bytes that nobody can guess.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("the kernel hands out random bytes from the moment it has started");
    bytes
}
