//! Whatever is in a row, it doesn't open, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_vault::{Kek, Label, Sealed, Vault};

fuzz_target!(|row: (bool, &str, &str, i64)| {
    let (named, dek, text, version) = row;
    let key = Kek::new([1; 32]);
    let kek = if named { key.id() } else { dek }.to_owned();
    let vault = Vault::new(key, Vec::new());
    let empty = String::new;
    let label = Label { kind: empty(), audience: empty(), owner: empty(), id: empty(), version };
    let sealed = Sealed { kek, dek: dek.to_owned(), text: text.to_owned() };
    assert!(vault.open(&label, &sealed).is_err());
});
