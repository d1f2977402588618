//! The closed list of tasks. Names and groups are those that the public API's task classification
//! uses; `docs/classifier.md` says where each comes from.

/// The coarse group of a task: the part of a tag before the colon, `general` without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MacroGroup {
    /// Software: writing, mending, reading, running it.
    Code,
    /// Data: taking it out of text, changing its form.
    Data,
    /// Work in steps, with tools, search or memory.
    Agent,
    /// Everything else.
    General,
}

impl MacroGroup {
    /// All groups, in the order of the public API's description.
    pub const ALL: [Self; 4] = [Self::Code, Self::Data, Self::Agent, Self::General];

    /// The group's key: `code`, `data`, `agent` or `general`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Data => "data",
            Self::Agent => "agent",
            Self::General => "general",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Code => "Code",
            Self::Data => "Data",
            Self::Agent => "Agent",
            Self::General => "General",
        }
    }
}

/// Declares the tags once: variant, tag, name for people, group.
macro_rules! tags {
    ($($(#[$doc:meta])* $variant:ident $tag:literal $name:literal $group:ident;)+) => {
        /// A kind of task.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum TaskTag {
            $($(#[$doc])* $variant,)+
        }

        impl TaskTag {
            /// All tags. A tag's place here is its class in the model.
            pub const ALL: [Self; TaskTag::COUNT] = [$(Self::$variant,)+];
            /// How many tags there are.
            pub const COUNT: usize = [$(Self::$variant,)+].len();

            /// The tag as the API spells it, such as `code:debugging`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $tag,)+ }
            }

            /// The name for people.
            #[must_use]
            pub const fn display_name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The group that the tag belongs to.
            #[must_use]
            pub const fn macro_group(self) -> MacroGroup {
                match self { $(Self::$variant => MacroGroup::$group,)+ }
            }
        }
    };
}

tags! {
    /// Something fails; find out why, mend it.
    CodeDebugging "code:debugging" "Debugging" Code;
    /// Deployment, pipelines, infrastructure as code.
    CodeDevopsConfig "code:devops_config" "DevOps & Config" Code;
    /// Named files are read, written, moved, edited as told.
    CodeFileReadWrite "code:file_read_write" "File I/O" Code;
    /// Pages, components, styles.
    CodeFrontendUi "code:frontend_ui" "Frontend & UI" Code;
    /// A function, class, program or tests to be written or rewritten.
    CodeGeneralImpl "code:general_impl" "Code Generation" Code;
    /// Find one's way in a code base.
    CodeRepoScan "code:repo_scan" "Repo Scanning" Code;
    /// Judge code or a change; look for weaknesses.
    CodeReviewSecurity "code:review_security" "Code Review" Code;
    /// Commands and scripts of a shell.
    CodeShellExecution "code:shell_execution" "Shell Execution" Code;
    /// Queries, schemas, database behaviour.
    CodeSqlDatabase "code:sql_database" "SQL & Database" Code;
    /// Take fields, entities or facts out of text.
    DataExtraction "data:extraction" "Data Extraction" Data;
    /// Give data another form, clean it, map it.
    DataTransformation "data:transformation" "Data Transformation" Data;
    /// Decide what of a conversation is to be kept, and keep it.
    AgentMemoryExtraction "agent:memory_extraction" "Memory Extraction" Agent;
    /// Divide a goal into steps without doing them.
    AgentMultiStepPlanning "agent:multi_step_planning" "Multi-step Planning" Agent;
    /// One request that one or two tool calls answer.
    AgentToolDispatch "agent:tool_dispatch" "Tool Dispatch" Agent;
    /// An answer that has to be looked up on the web.
    AgentWebSearch "agent:web_search" "Web Search" Agent;
    /// Carry out a process of several steps with tools.
    AgentWorkflowExecution "agent:workflow_execution" "Workflow Execution" Agent;
    /// Put labels on texts.
    ClassificationTagging "classification_tagging" "Classification" General;
    /// Texts for readers: articles, letters, posts, poems, corrections of such.
    ContentWriting "content_writing" "Content Writing" General;
    /// Small talk and company.
    ConversationalReply "conversational_reply" "Conversation" General;
    /// A customer's concern, or the answer to one.
    CustomerSupport "customer_support" "Customer Support" General;
    /// Markets, money, portfolios, accounts.
    FinanceTrading "finance_trading" "Finance & Trading" General;
    /// Calculation and proof.
    Math "math" "Math" General;
    /// A question that knowledge answers.
    QaKnowledge "qa_knowledge" "Q&A & Knowledge" General;
    /// A long analysis or review of what is known.
    ResearchReport "research_report" "Research & Reports" General;
    /// Characters, stories, play.
    RoleplayFiction "roleplay_fiction" "Roleplay & Fiction" General;
    /// A text made shorter.
    Summarization "summarization" "Summarization" General;
    /// A text in another language.
    Translation "translation" "Translation" General;
}

impl TaskTag {
    /// The tag with that spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.as_str() == text)
    }

    /// The tag of a class of the model.
    #[must_use]
    pub fn of_class(class: usize) -> Option<Self> {
        Self::ALL.get(class).copied()
    }

    /// The tag's class in the model: its place in [`Self::ALL`].
    #[must_use]
    pub const fn class(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for TaskTag {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_its_group() {
        for tag in TaskTag::ALL {
            let group = tag.as_str().split_once(':').map_or("general", |(group, _)| group);
            assert_eq!(tag.macro_group().as_str(), group, "{tag}");
            assert_eq!(TaskTag::parse(tag.as_str()), Some(tag));
            assert_eq!(TaskTag::of_class(tag.class()), Some(tag));
        }
        assert_eq!(TaskTag::parse("code:poetry"), None);
    }
}
