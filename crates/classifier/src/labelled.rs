//! The labelled prompts of `data/`, for training, reports and other tools that want prompts whose
//! task is known. They are compiled in, a binary that doesn't ask for them leaves them out.

use crate::{PromptText, TaskTag};

/// Which half of the labelled prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// Weights, thresholds and features are made from these.
    Train,
    /// For reports only.
    Test,
}

/// A prompt with its task.
#[derive(Debug, Clone, Copy)]
pub struct Labelled {
    /// The task.
    pub tag: TaskTag,
    /// The half that it is in.
    pub half: Half,
    /// The system text, empty without one.
    pub system: &'static str,
    /// How many tools the request offers.
    pub tools: usize,
    /// The user's text. One part.
    pub user: [&'static str; 1],
}

impl Labelled {
    /// The prompt as the classifier takes it.
    #[must_use]
    pub fn prompt(&self) -> PromptText<'_> {
        PromptText { user: &self.user, system: self.system, tools: self.tools }
    }
}

macro_rules! files {
    ($($tag:ident $file:literal;)+) => {
        /// Each tag's file.
        const FILES: [(TaskTag, &str); TaskTag::COUNT] =
            [$((TaskTag::$tag, include_str!(concat!("../data/", $file, ".txt"))),)+];
        /// Each tag's short prompts, one a line.
        const LINES: [(TaskTag, &str); TaskTag::COUNT] =
            [$((TaskTag::$tag, include_str!(concat!("../data/lines/", $file, ".txt"))),)+];
    };
}

files! {
    CodeDebugging "code_debugging";
    CodeDevopsConfig "code_devops_config";
    CodeFileReadWrite "code_file_read_write";
    CodeFrontendUi "code_frontend_ui";
    CodeGeneralImpl "code_general_impl";
    CodeRepoScan "code_repo_scan";
    CodeReviewSecurity "code_review_security";
    CodeShellExecution "code_shell_execution";
    CodeSqlDatabase "code_sql_database";
    DataExtraction "data_extraction";
    DataTransformation "data_transformation";
    AgentMemoryExtraction "agent_memory_extraction";
    AgentMultiStepPlanning "agent_multi_step_planning";
    AgentToolDispatch "agent_tool_dispatch";
    AgentWebSearch "agent_web_search";
    AgentWorkflowExecution "agent_workflow_execution";
    ClassificationTagging "classification_tagging";
    ContentWriting "content_writing";
    ConversationalReply "conversational_reply";
    CustomerSupport "customer_support";
    FinanceTrading "finance_trading";
    Math "math";
    QaKnowledge "qa_knowledge";
    ResearchReport "research_report";
    RoleplayFiction "roleplay_fiction";
    Summarization "summarization";
    Translation "translation";
}

const SYSTEMS: &str = include_str!("../data/systems.txt");

/// All labelled prompts of a half, tag by tag.
pub fn prompts(half: Half) -> impl Iterator<Item = Labelled> {
    FILES.into_iter().flat_map(move |(tag, file)| {
        let (train, test) = halves(file);
        let text = if half == Half::Train { train } else { test };
        entries(text).map(move |entry| read(tag, half, entry))
    })
}

/// Short prompts that are learnt too: plain ways of asking, many words in little space. They belong to
/// the training half, but cross-validation doesn't judge by them.
pub fn lines() -> impl Iterator<Item = Labelled> {
    LINES.into_iter().flat_map(|(tag, file)| {
        let lines = file.lines().filter(|line| !line.is_empty());
        lines.map(move |line| read(tag, Half::Train, line))
    })
}

/// A system text that says nothing about the task: of an assistant for everything, or of a coding
/// agent whose user may ask for anything.
#[derive(Debug, Clone, Copy)]
pub struct Backdrop {
    /// The system text.
    pub system: &'static str,
    /// Whether it is a coding agent's.
    pub coding: bool,
}

/// System texts to train with, so that the model doesn't listen to what they have in common.
pub fn backdrops() -> impl Iterator<Item = Backdrop> {
    let (any, code) = SYSTEMS.split_once("\n@code\n").unwrap_or((SYSTEMS, ""));
    let of = |texts: &'static str, coding| {
        let lines = texts.lines().filter(|line| !line.is_empty() && !line.starts_with('@'));
        lines.map(move |system| Backdrop { system, coding })
    };
    of(any, false).chain(of(code, true))
}

/// A fingerprint of a half: whatever changes in it changes this. The training half has the
/// [`lines`] and the [`backdrops`] too.
#[must_use]
pub fn fingerprint(half: Half) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = FILES.into_iter().fold(start, |hash, (tag, file)| {
        let (train, test) = halves(file);
        hashed(hashed(hash, tag.as_str()), if half == Half::Train { train } else { test })
    });
    match half {
        Half::Train => {
            let hash = LINES.into_iter().fold(hash, |hash, (_, file)| hashed(hash, file));
            hashed(hash, SYSTEMS)
        }
        Half::Test => hash,
    }
}

fn hashed(hash: u64, text: &str) -> u64 {
    text.bytes()
        .fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn halves(file: &str) -> (&str, &str) {
    let (train, test) = file.split_once("\n@test\n").unwrap_or((file, ""));
    (train.strip_prefix("@train\n").unwrap_or(train), test)
}

fn entries(half: &str) -> impl Iterator<Item = &str> {
    half.split("\n%%\n").map(str::trim_ascii).filter(|entry| !entry.is_empty())
}

fn read(tag: TaskTag, half: Half, entry: &'static str) -> Labelled {
    let mut found = Labelled { tag, half, system: "", tools: 0, user: [entry] };
    let mut rest = entry;
    loop {
        if let Some(after) = rest.strip_prefix("[system] ") {
            (found.system, rest) = after.split_once('\n').unwrap_or((after, ""));
        } else if let Some(after) = rest.strip_prefix("[tools ") {
            let (tools, after) = after.split_once(']').unwrap_or((after, ""));
            found.tools = tools.parse().unwrap_or_default();
            rest = after.trim_start();
        } else {
            break;
        }
    }
    found.user = [rest];
    found
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn each_half_has_thirty_prompts_of_each_tag_and_no_prompt_is_there_twice() {
        let mut seen: HashSet<_> = lines().map(|line| (line.system, line.user[0])).collect();
        for half in [Half::Train, Half::Test] {
            let mut count = HashMap::new();
            for labelled in prompts(half) {
                *count.entry(labelled.tag).or_insert(0) += 1;
                let [user] = labelled.user;
                assert!(!user.contains("%%\n") && !user.starts_with('@'), "{user}");
                assert!(seen.insert((labelled.system, user)), "{user}");
            }
            for tag in TaskTag::ALL {
                assert!(count[&tag] >= 30, "{tag}: {}", count[&tag]);
            }
        }
    }

    #[test]
    fn the_test_half_is_the_one_that_was_written_before_any_training() {
        assert_eq!(fingerprint(Half::Test), 8_441_803_570_449_203_061);
    }

    #[test]
    fn what_a_request_carries_is_read_off_the_first_lines() {
        let all: Vec<Labelled> = prompts(Half::Train).collect();
        assert!(all.iter().any(|one| one.tools > 0 && !one.system.is_empty()));
        assert!(!all.iter().any(|one| one.user[0].starts_with("[tools")));
        assert!(lines().all(|line| !line.user[0].starts_with('[')));
        assert!(lines().any(|line| line.tools == 3 && line.user[0] == "Read config.json"));
    }
}
