//! How well a model tells the labelled prompts apart.

use std::fmt;

use crate::labelled::{self, Half};
use crate::linear::LinearClassifier;
use crate::tag::{MacroGroup, TaskTag};

const N: usize = TaskTag::COUNT;

/// What a model made of one half.
#[derive(Debug, Clone)]
pub struct Report {
    /// Prompts by their own tag and by the likeliest one, however unlikely.
    pub confusion: [[u32; N]; N],
    /// Prompts that are under the threshold, by their own tag.
    pub unclassified: [u32; N],
    /// Prompts over the threshold whose tag is right.
    pub classified_right: u32,
    threshold: f32,
}

impl Report {
    /// Judges every prompt of a half.
    #[must_use]
    pub fn of(model: &LinearClassifier<'_>, half: Half) -> Self {
        let mut report = Self {
            confusion: [[0; N]; N],
            unclassified: [0; N],
            classified_right: 0,
            threshold: model.threshold(),
        };
        for labelled in labelled::prompts(half) {
            let (tag, confidence) = model.best(&labelled.prompt());
            let row = report.confusion.get_mut(labelled.tag.class());
            if let Some(cell) = row.and_then(|row| row.get_mut(tag.class())) {
                *cell += 1;
            }
            if confidence < model.threshold() {
                if let Some(count) = report.unclassified.get_mut(labelled.tag.class()) {
                    *count += 1;
                }
            } else if tag == labelled.tag {
                report.classified_right += 1;
            }
        }
        report
    }

    /// How many prompts of a tag were found to be another (or the same).
    #[must_use]
    pub fn cell(&self, is: TaskTag, found: TaskTag) -> u32 {
        self.confusion.get(is.class()).and_then(|row| row.get(found.class())).copied().unwrap_or(0)
    }

    /// The prompts of a tag.
    #[must_use]
    pub fn of_tag(&self, is: TaskTag) -> u32 {
        TaskTag::ALL.into_iter().map(|found| self.cell(is, found)).sum()
    }

    /// The prompts that were found to be of a tag.
    #[must_use]
    pub fn found(&self, found: TaskTag) -> u32 {
        TaskTag::ALL.into_iter().map(|is| self.cell(is, found)).sum()
    }

    /// All prompts.
    #[must_use]
    pub fn prompts(&self) -> u32 {
        self.confusion.iter().flatten().sum()
    }

    /// Prompts whose likeliest tag is right.
    #[must_use]
    pub fn right(&self) -> u32 {
        TaskTag::ALL.into_iter().map(|tag| self.cell(tag, tag)).sum()
    }

    /// Prompts whose likeliest tag is of the right group.
    #[must_use]
    pub fn right_group(&self) -> u32 {
        let groups = MacroGroup::ALL.into_iter();
        groups.map(|group| self.group_cell(group, group)).sum()
    }

    /// How many prompts of a group were found to be of another (or the same).
    #[must_use]
    pub fn group_cell(&self, is: MacroGroup, found: MacroGroup) -> u32 {
        let of = |group| TaskTag::ALL.into_iter().filter(move |tag| tag.macro_group() == group);
        of(is).flat_map(|is| of(found).map(move |found| self.cell(is, found))).sum()
    }

    /// The most frequent tag's prompts: what guessing that tag always would get right.
    #[must_use]
    pub fn majority(&self) -> u32 {
        TaskTag::ALL.into_iter().map(|tag| self.of_tag(tag)).max().unwrap_or(0)
    }

    /// The most frequent group's prompts.
    #[must_use]
    pub fn majority_group(&self) -> u32 {
        let of = |is| MacroGroup::ALL.into_iter().map(|found| self.group_cell(is, found)).sum();
        MacroGroup::ALL.into_iter().map(of).max().unwrap_or(0)
    }

    /// Prompts that are under the threshold.
    #[must_use]
    pub fn all_unclassified(&self) -> u32 {
        self.unclassified.iter().sum()
    }
}

/// A share in percent, one decimal.
fn percent(part: u32, whole: u32) -> String {
    format!("{:.1} %", f64::from(part) * 100.0 / f64::from(whole.max(1)))
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.prompts();
        let line = |out: &mut fmt::Formatter<'_>, what: &str, part: u32, whole: u32| {
            writeln!(out, "| {what} | {part} of {whole} | {} |", percent(part, whole))
        };
        writeln!(out, "| | prompts | share |\n|---|---|---|")?;
        line(out, "right tag", self.right(), all)?;
        line(out, "always the most frequent tag", self.majority(), all)?;
        line(out, "right group", self.right_group(), all)?;
        line(out, "always the most frequent group", self.majority_group(), all)?;
        let none = self.all_unclassified();
        let unclassified = format!("unclassified (confidence under {:.2})", self.threshold);
        line(out, &unclassified, none, all)?;
        let answered = all.saturating_sub(none);
        line(out, "right tag among the classified", self.classified_right, answered)?;
        self.write_tags(out)?;
        self.write_groups(out)?;
        self.write_confusion(out)
    }
}

impl Report {
    fn write_tags(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n| tag | prompts | precision | recall | most often taken for |")?;
        writeln!(out, "|---|---|---|---|---|")?;
        for tag in TaskTag::ALL {
            let (own, right) = (self.of_tag(tag), self.cell(tag, tag));
            let others = TaskTag::ALL.into_iter().filter(|other| *other != tag);
            let wrong = others.max_by_key(|other| self.cell(tag, *other));
            let wrong = wrong.map(|other| (other, self.cell(tag, other)));
            let wrong = wrong.filter(|(_, count)| *count > 0);
            let wrong = wrong.map(|(other, count)| format!("`{other}` ({count})"));
            writeln!(
                out,
                "| `{tag}` | {own} | {} | {} | {} |",
                percent(right, self.found(tag)),
                percent(right, own),
                wrong.unwrap_or_default()
            )?;
        }
        Ok(())
    }

    fn write_groups(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n| is ╲ found | code | data | agent | general |\n|---|---|---|---|---|")?;
        for is in MacroGroup::ALL {
            write!(out, "| {} |", is.as_str())?;
            for found in MacroGroup::ALL {
                write!(out, " {} |", self.group_cell(is, found))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// The whole table; columns are the rows' numbers.
    fn write_confusion(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\n```text\n{:<29}", "is, found →")?;
        for (number, _) in TaskTag::ALL.into_iter().enumerate() {
            write!(out, "{:>3}", number + 1)?;
        }
        writeln!(out)?;
        for (number, is) in TaskTag::ALL.into_iter().enumerate() {
            write!(out, "{:>2} {:<26}", number + 1, is.as_str())?;
            for found in TaskTag::ALL {
                match self.cell(is, found) {
                    0 => write!(out, "  ·")?,
                    count => write!(out, "{count:>3}")?,
                }
            }
            writeln!(out)?;
        }
        writeln!(out, "```")
    }
}
