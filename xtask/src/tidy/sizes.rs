//! Small rooms: files up to 450 lines, functions up to 70.

use super::{Breach, File};

const MOST_LINES: usize = 450;
const MOST_FUNCTION_LINES: usize = 70;

/// Files and functions that may be larger, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn excepted(path: &str) -> bool {
    EXCEPTIONS.iter().any(|(excepted, reason)| *excepted == path && !reason.is_empty())
}

pub(super) fn check(files: &[File]) -> Vec<Breach> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !excepted(&file.path)) {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            found.push(format!("{}: {lines} lines, at most {MOST_LINES}", file.path));
        }
        // A test may hold a long table.
        let is_test = file.path.contains("/tests/");
        let code = file.text.split("#[cfg(test)]").next().filter(|_| !is_test);
        for (line, length) in long_functions(code.unwrap_or_default()) {
            found.push(format!(
                "{}:{line}: a function of {length} lines, at most {MOST_FUNCTION_LINES}",
                file.path
            ));
        }
    }
    found
}

/// Line and length of each function that is too long. rustfmt puts a function's closing brace at the
/// indentation of its first line.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len().saturating_sub(body.len());
        let words = body.split_whitespace().take(6);
        let is_function = words.into_iter().any(|word| word == "fn") && !body.starts_with("//");
        if !is_function {
            continue;
        }
        let pad = " ".repeat(indent);
        let ends = |line: &str| {
            let own = line.strip_prefix(&pad).is_some_and(|rest| !rest.starts_with(' '));
            own && (line.ends_with('}') || line.ends_with(';'))
        };
        let length = lines.iter().skip(start).take_while(|line| !ends(line)).count();
        let length = length.saturating_add(1);
        if length > MOST_FUNCTION_LINES {
            found.push((start.saturating_add(1), length));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::long_functions;

    #[test]
    fn a_long_function_is_seen_and_a_short_one_is_not() {
        let short = "fn a() {\n    b();\n}\n";
        assert!(long_functions(short).is_empty());
        let long = format!("    pub fn a() {{\n{}    }}\n", "        b();\n".repeat(80));
        assert_eq!(long_functions(&long), [(1, 82)]);
        let signature = format!("fn a();\n{}", "fn b() {\n}\n".repeat(50));
        assert!(long_functions(&signature).is_empty());
    }
}
