//! Random bits from the operating system, drawn in blocks.

use std::cell::RefCell;

const BLOCK: usize = 1024;

struct Pool {
    bytes: [u8; BLOCK],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; BLOCK], used: BLOCK }) };
}

/// Fills from the operating system. Without randomness no id and no key may be made, so a failure
/// ends the process.
fn fill(into: &mut [u8]) {
    if getrandom::fill(into).is_err() {
        std::process::abort();
    }
}

/// `N` random bytes for ids and dice. A system call serves many of them; bytes are used once.
#[must_use]
pub fn draw<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    POOL.with_borrow_mut(|pool| {
        if pool.used.saturating_add(N) > BLOCK {
            fill(&mut pool.bytes);
            pool.used = 0;
        }
        let end = pool.used.saturating_add(N);
        match pool.bytes.get_mut(pool.used..end) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                bytes.fill(0);
                pool.used = end;
            }
            None => fill(&mut out),
        }
    });
    out
}

/// 128 bits for an id.
#[must_use]
pub fn bytes() -> [u8; 16] {
    draw()
}

/// 256 bits for a secret, straight from the operating system.
#[must_use]
pub fn secret() -> [u8; 32] {
    let mut out = [0; 32];
    fill(&mut out);
    out
}

/// 64 bits for one routing decision. The plan keeps them, so that it can be replayed.
#[must_use]
pub fn dice() -> u64 {
    u64::from_le_bytes(draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ() {
        let drawn: std::collections::HashSet<_> = (0..1000).map(|_| bytes()).collect();
        assert_eq!(drawn.len(), 1000);
        assert_ne!(secret(), secret());
        assert_eq!(draw::<2000>().len(), 2000, "larger than a block");
    }
}
