//! Names and formats of documents.

use std::collections::BTreeSet;

/// Longest name of a document, with room for the number that makes it differ.
const MOST_NAME_CHARS: usize = 190;

/// Formats by media type.
const BY_TYPE: &[(&str, &str)] = &[
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/markdown", "md"),
    ("text/x-markdown", "md"),
    ("application/json", "txt"),
];

/// Formats by the ending of a name.
const BY_ENDING: &[&str] = &["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];

/// The names of the documents of one request.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name that is accepted and new: letters, digits, single spaces, dashes, parentheses and
    /// brackets. The ending of the file's name goes; its format is told apart.
    pub(super) fn take(&mut self, filename: Option<&str>) -> String {
        let filename = filename.unwrap_or_default();
        let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
        let mut plain = String::new();
        for letter in stem.chars() {
            if letter.is_whitespace() {
                if !plain.is_empty() && !plain.ends_with(' ') {
                    plain.push(' ');
                }
            } else if letter.is_ascii_alphanumeric() || "-()[]".contains(letter) {
                plain.push(letter);
            } else {
                plain.push('-');
            }
            if plain.len() >= MOST_NAME_CHARS {
                break;
            }
        }
        let plain = plain.trim_end();
        let has_words = plain.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let plain = if has_words { plain } else { "document" };
        let numbered = (2_u64..).map(|number| format!("{plain} ({number})"));
        let mut names = std::iter::once(plain.to_owned()).chain(numbered);
        let name = names.find(|name| !self.0.contains(name)).unwrap_or_default();
        self.0.insert(name.clone());
        name
    }
}

/// The format of a document; `None` when there is none for it.
pub(super) fn format(media_type: &str, filename: Option<&str>) -> Option<&'static str> {
    let known = BY_TYPE.iter().find(|(known, _)| *known == media_type).map(|(_, format)| *format);
    if known.is_some() {
        return known;
    }
    if media_type.starts_with("text/") {
        return Some("txt");
    }
    let is_any = matches!(media_type, "" | "application/octet-stream");
    let ending = filename.filter(|_| is_any)?.rsplit_once('.')?.1.to_ascii_lowercase();
    BY_ENDING.iter().find(|known| **known == ending).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_accepted_and_differ() {
        let mut names = Names::default();
        let mut take = |name: &str| names.take(Some(name));
        assert_eq!(take("Q3  report_v2.final.pdf"), "Q3 report-v2-final");
        assert_eq!(take("Q3 report_v2.final.doc"), "Q3 report-v2-final (2)");
        assert_eq!(take("../../etc/passwd"), "document");
        assert_eq!(take("日本.pdf"), "document (2)");
        assert_eq!(take(" [a] (b) .md"), "[a] (b)");
        assert!(take(&"x".repeat(500)).len() <= 200);
        assert!(take(&"x".repeat(600)).len() <= 200);
        assert_eq!(names.take(None), "document (3)");
    }

    #[test]
    fn formats_follow_the_type_then_the_name() {
        assert_eq!(format("application/pdf", None), Some("pdf"));
        assert_eq!(format("text/x-python", Some("a.py")), Some("txt"));
        assert_eq!(format("application/octet-stream", Some("a.XLSX")), Some("xlsx"));
        assert_eq!(format("application/octet-stream", Some("a.exe")), None);
        assert_eq!(format("application/zip", Some("a.pdf")), None);
    }
}
