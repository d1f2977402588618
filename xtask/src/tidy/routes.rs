//! Routes come from the register (`server/src/route`) and from nowhere else.

use super::{Breach, File};

/// The one place that makes routes of rows.
const ROUTER: &str = "crates/server/src/router.rs";

pub(super) fn check(files: &[File]) -> Vec<Breach> {
    let ways = [".route(", ".route_service(", ".nest(", ".nest_service(", ".merge("];
    let inside = files.iter().filter(|file| file.path.starts_with("crates/server/src/"));
    let mut found = Vec::new();
    for file in inside {
        for (index, line) in file.text.lines().enumerate() {
            let lawful = file.path == ROUTER && line.contains("router.route(row.path");
            if !lawful && ways.iter().any(|way| line.contains(way)) {
                let line = index.saturating_add(1);
                found
                    .push(format!("{}:{line}: a route without a row in route/table.rs", file.path));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_is_added_by_hand_is_a_breach() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let row = "let add = |router, row| router.route(row.path, row.handler());";
        assert!(check(&[file(ROUTER, row)]).is_empty());
        let by_hand = "a\n  .route(\"/x\", get(x))";
        assert_eq!(check(&[file(ROUTER, by_hand)]).len(), 1);
        assert_eq!(check(&[file("crates/server/src/v1.rs", by_hand)]).len(), 1);
        assert!(check(&[file("crates/simulator/src/server.rs", by_hand)]).is_empty());
    }
}
