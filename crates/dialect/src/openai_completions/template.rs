//! How a model was trained to read a conversation as one text.
//!
//! The text that begins every prompt (`<s>` and the like) is not written: servers add it themselves.
//! Marks that are a template's own cannot come from what anyone said: see [`PromptTemplate::neutral`].

use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

/// A template, by the `instruct_type` that the catalogue has for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptTemplate {
    /// `User: …` and `Assistant: …`, for models of no known template.
    #[default]
    Plain,
    /// None: the text of the client's legacy prompt, unchanged.
    #[serde(skip)]
    Verbatim,
    /// `<|im_start|>` and `<|im_end|>`.
    #[serde(alias = "qwen3")]
    Chatml,
    /// Headers, and `<|eot_id|>`.
    Llama3,
    /// `[INST]`; instructions are part of the first turn.
    Mistral,
    /// `### Instruction:` and `### Response:`.
    Alpaca,
    /// `USER:` and `ASSISTANT:`.
    Vicuna,
    /// `<start_of_turn>`; instructions are part of the first turn.
    Gemma,
    /// Full-width marks. Whether to think is left to the model, which writes `<think>` itself.
    DeepseekR1,
    /// The same, with thinking closed before it begins.
    #[serde(rename = "deepseek-v3.1")]
    DeepseekV31,
}

/// Where instructions go.
#[derive(Debug, Clone, Copy)]
pub(super) enum System {
    /// In turns of their own, where they stand.
    Turn(&'static str, &'static str),
    /// Before everything, with this after them.
    Head(&'static str),
    /// Into the first turn of the user.
    InUser,
}

/// The parts of a template: what stands before and after each turn.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) system: System,
    pub(super) user: (&'static str, &'static str),
    pub(super) assistant: (&'static str, &'static str),
    /// What the model writes when its turn is over.
    pub(super) stop: &'static str,
    /// What nobody else may write.
    pub(super) marks: &'static [&'static str],
}

const PLAIN: Form = Form {
    system: System::Turn("System: ", "\n\n"),
    user: ("User: ", "\n\n"),
    assistant: ("Assistant: ", "\n\n"),
    stop: "\nUser:",
    marks: &["System:", "User:", "Assistant:"],
};
const CHATML: Form = Form {
    system: System::Turn("<|im_start|>system\n", "<|im_end|>\n"),
    user: ("<|im_start|>user\n", "<|im_end|>\n"),
    assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
    stop: "<|im_end|>",
    marks: &["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
};
const LLAMA3: Form = Form {
    system: System::Turn("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
    user: ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    assistant: ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    stop: "<|eot_id|>",
    marks: &[
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|python_tag|>",
        "<|reserved_special_token_",
    ],
};
const MISTRAL: Form = Form {
    system: System::InUser,
    user: ("[INST] ", " [/INST]"),
    assistant: (" ", "</s>"),
    stop: "</s>",
    marks: &["[INST]", "[/INST]", "<s>", "</s>"],
};
const ALPACA: Form = Form {
    system: System::Head("\n\n"),
    user: ("### Instruction:\n", "\n\n"),
    assistant: ("### Response:\n", "\n\n"),
    stop: "### Instruction:",
    marks: &["### Instruction:", "### Input:", "### Response:"],
};
const VICUNA: Form = Form {
    system: System::Head(" "),
    user: ("USER: ", " "),
    assistant: ("ASSISTANT: ", "</s>"),
    stop: "</s>",
    marks: &["USER:", "ASSISTANT:", "<s>", "</s>"],
};
const GEMMA: Form = Form {
    system: System::InUser,
    user: ("<start_of_turn>user\n", "<end_of_turn>\n"),
    assistant: ("<start_of_turn>model\n", "<end_of_turn>\n"),
    stop: "<end_of_turn>",
    marks: &["<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>"],
};
const DEEPSEEK_R1: Form = Form {
    system: System::Head(""),
    user: ("<｜User｜>", ""),
    assistant: ("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    stop: "<｜end▁of▁sentence｜>",
    marks: &["<｜"],
};
const DEEPSEEK_V31: Form =
    Form { assistant: ("<｜Assistant｜></think>", "<｜end▁of▁sentence｜>"), ..DEEPSEEK_R1 };

impl PromptTemplate {
    /// The template for the catalogue's `instruct_type`. What is not known here, `none` among it, is
    /// [`Self::Plain`].
    #[must_use]
    pub fn for_instruct_type(name: Option<&str>) -> Self {
        let read = |name| Self::deserialize(StrDeserializer::<Error>::new(name)).ok();
        name.and_then(read).unwrap_or_default()
    }

    pub(super) const fn form(self) -> &'static Form {
        match self {
            Self::Plain | Self::Verbatim => &PLAIN,
            Self::Chatml => &CHATML,
            Self::Llama3 => &LLAMA3,
            Self::Mistral => &MISTRAL,
            Self::Alpaca => &ALPACA,
            Self::Vicuna => &VICUNA,
            Self::Gemma => &GEMMA,
            Self::DeepseekR1 => &DEEPSEEK_R1,
            Self::DeepseekV31 => &DEEPSEEK_V31,
        }
    }

    /// The text without any of the template's marks, so that it cannot end its turn or forge another.
    /// A mark is broken with one space: before the colon that ends it (`USER :`), else after its first
    /// character (`< |im_end|>`). A space is what no tokeniser drops; the text stays readable.
    #[must_use]
    pub fn neutral(self, text: &str) -> String {
        let mut text = text.to_owned();
        for mark in self.form().marks {
            if text.contains(mark) {
                text = text.replace(mark, &broken(mark));
            }
        }
        text
    }
}

fn broken(mark: &str) -> String {
    if let Some(label) = mark.strip_suffix(':') {
        return format!("{label} :");
    }
    let first = mark.chars().next().map_or(0, char::len_utf8);
    let (first, rest) = mark.split_at(first);
    format!("{first} {rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_found_by_the_catalogues_word() {
        for (name, template) in [
            (None, PromptTemplate::Plain),
            (Some("none"), PromptTemplate::Plain),
            (Some("verbatim"), PromptTemplate::Plain),
            (Some("rwkv"), PromptTemplate::Plain),
            (Some("chatml"), PromptTemplate::Chatml),
            (Some("qwen3"), PromptTemplate::Chatml),
            (Some("llama3"), PromptTemplate::Llama3),
            (Some("mistral"), PromptTemplate::Mistral),
            (Some("alpaca"), PromptTemplate::Alpaca),
            (Some("vicuna"), PromptTemplate::Vicuna),
            (Some("gemma"), PromptTemplate::Gemma),
            (Some("deepseek-r1"), PromptTemplate::DeepseekR1),
            (Some("deepseek-v3.1"), PromptTemplate::DeepseekV31),
        ] {
            assert_eq!(PromptTemplate::for_instruct_type(name), template, "{name:?}");
        }
    }

    #[test]
    fn marks_are_broken_and_the_rest_is_left_alone() {
        let neutral = |template: PromptTemplate, text: &str| template.neutral(text);
        assert_eq!(neutral(PromptTemplate::Chatml, "a <|im_end|>\n<|x"), "a < |im_end|>\n<|x");
        assert_eq!(neutral(PromptTemplate::Vicuna, "USER: hi</s>"), "USER : hi< /s>");
        assert_eq!(neutral(PromptTemplate::DeepseekR1, "<｜User｜>"), "< ｜User｜>");
        assert_eq!(neutral(PromptTemplate::Mistral, "<<s>s>[[INST]"), "<< s>s>[[ INST]");
    }
}
