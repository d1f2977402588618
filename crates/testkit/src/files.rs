//! Everything that a server has written to disk.

use std::path::Path;

use crate::TestServer;

impl TestServer {
    /// The bytes of every file in its folder, the database's log among them, one after the other. Empty
    /// where its database is elsewhere.
    ///
    /// # Panics
    /// When they can't be read.
    #[must_use]
    pub fn files(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        gather(self.folder(), &mut bytes);
        bytes
    }
}

fn gather(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, into);
        } else {
            into.extend(std::fs::read(&path).expect("a file"));
        }
    }
}
