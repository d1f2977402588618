//! The vocabulary of request parameters that endpoints support or not.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! parameters {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A request parameter of the public catalogue (inference spec A.2).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is its own name on the wire")]
        #[repr(u8)]
        pub enum Parameter { $($variant),+ }

        impl Parameter {
            /// Every parameter, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The parameter with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The name in a request body and in `supported_parameters`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

parameters! {
    Temperature = "temperature",
    TopP = "top_p",
    TopK = "top_k",
    MinP = "min_p",
    TopA = "top_a",
    FrequencyPenalty = "frequency_penalty",
    PresencePenalty = "presence_penalty",
    RepetitionPenalty = "repetition_penalty",
    MaxTokens = "max_tokens",
    MaxCompletionTokens = "max_completion_tokens",
    LogitBias = "logit_bias",
    Logprobs = "logprobs",
    TopLogprobs = "top_logprobs",
    Prediction = "prediction",
    Seed = "seed",
    ResponseFormat = "response_format",
    StructuredOutputs = "structured_outputs",
    Stop = "stop",
    Tools = "tools",
    ToolChoice = "tool_choice",
    ParallelToolCalls = "parallel_tool_calls",
    IncludeReasoning = "include_reasoning",
    Reasoning = "reasoning",
    ReasoningEffort = "reasoning_effort",
    WebSearchOptions = "web_search_options",
    Verbosity = "verbosity",
}

/// A set of parameters: one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ParameterSet(u32);

impl ParameterSet {
    /// No parameter.
    pub const EMPTY: Self = Self(0);

    /// Every parameter.
    #[must_use]
    pub fn all() -> Self {
        Parameter::ALL.iter().copied().collect()
    }

    /// Whether the set has this parameter.
    #[must_use]
    pub const fn contains(self, parameter: Parameter) -> bool {
        self.0 & (1 << parameter as u32) != 0
    }

    /// Adds a parameter.
    pub const fn insert(&mut self, parameter: Parameter) {
        self.0 |= 1 << parameter as u32;
    }

    /// Takes a parameter out.
    pub const fn remove(&mut self, parameter: Parameter) {
        self.0 &= !(1 << parameter as u32);
    }

    /// What is here but not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The parameters, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Parameter> {
        Parameter::ALL.iter().copied().filter(move |one| self.contains(*one))
    }
}

impl FromIterator<Parameter> for ParameterSet {
    fn from_iter<I: IntoIterator<Item = Parameter>>(parameters: I) -> Self {
        let mut set = Self::EMPTY;
        for parameter in parameters {
            set.insert(parameter);
        }
        set
    }
}

impl std::fmt::Debug for ParameterSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(Parameter::name)).finish()
    }
}

impl Serialize for ParameterSet {
    /// A list of names.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Parameter::name))
    }
}

impl<'de> Deserialize<'de> for ParameterSet {
    /// Reads a list of names; unknown ones are an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names
            .iter()
            .map(|name| {
                Parameter::from_name(name)
                    .ok_or_else(|| serde::de::Error::custom(format!("unknown parameter {name:?}")))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_reads_back_what_it_wrote() {
        let set: ParameterSet = [Parameter::Tools, Parameter::TopK].into_iter().collect();
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"["top_k","tools"]"#);
        assert_eq!(serde_json::from_str::<ParameterSet>(&text).unwrap(), set);
        assert!(serde_json::from_str::<ParameterSet>(r#"["magic"]"#).is_err());
        assert_eq!(ParameterSet::all().iter().count(), Parameter::ALL.len());
    }
}
