//! Why the money does not suffice, as the client is told (platform spec 2.5 and 2.6, inference spec
//! 17.1). Only texts: who refuses, and by which figures, is not decided here.

use signalbox_core::time::ResetInterval;
use signalbox_core::{ApiError, ErrorKind, Usd};

/// The pot that has too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pot {
    /// The account's credit, and whether any of it was ever bought.
    Credits {
        /// `false`: there were grants at most.
        purchased: bool,
    },
    /// The key's own limit and its window; `None` is for ever.
    Key(Option<ResetInterval>),
    /// A budget of the workspace.
    Workspace(Option<ResetInterval>, Usd),
    /// A budget of a guardrail, for the key or for its owner.
    Guardrail(Option<ResetInterval>, Usd),
}

/// What a request needs that the pot does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Its output.
    Output {
        /// Most tokens that it may write.
        requested: u64,
        /// Tokens for which there is enough.
        affordable: u64,
    },
    /// Its prompt already.
    Prompt {
        /// Most tokens that it may have.
        tokens: u64,
        /// Tokens for which there is enough.
        affordable: u64,
    },
}

/// How a window is called in a text; a limit without one is for ever.
fn window(window: Option<ResetInterval>, forever: &'static str) -> &'static str {
    window.map_or(forever, ResetInterval::name)
}

impl Pot {
    /// The word of `error.metadata.limit_source`.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Credits { .. } => "openrouter_credits",
            Self::Key(_) => "key_limit",
            Self::Workspace(..) => "workspace_budget",
            Self::Guardrail(..) => "guardrail_budget",
        }
    }

    /// The page where more can be had.
    fn page(self, public_url: &str) -> String {
        let page = match self {
            Self::Credits { .. } => "credits",
            Self::Key(_) => "keys",
            Self::Workspace(..) => "workspaces",
            Self::Guardrail(..) => "guardrails",
        };
        format!("{public_url}/settings/{page}")
    }

    /// What to do there.
    fn remedy(self) -> String {
        match self {
            Self::Credits { purchased: true } => "add more credits".to_owned(),
            Self::Credits { purchased: false } => "upgrade to a paid account".to_owned(),
            Self::Key(reset) => {
                format!("create a key with a higher {} limit", window(reset, "total"))
            }
            Self::Workspace(reset, _) | Self::Guardrail(reset, _) => {
                format!("ask for a higher {} budget", window(reset, "lifetime"))
            }
        }
    }
}

/// Nothing is left in the pot: 402 for credit, 403 for a limit that somebody set.
#[must_use]
pub fn exhausted(pot: Pot, public_url: &str) -> ApiError {
    let forbidden = |text: String| ApiError::new(ErrorKind::PermissionDenied, text);
    let page = pot.page(public_url);
    match pot {
        Pot::Credits { purchased } => {
            let text = if purchased {
                format!("Insufficient credits. Add more using {page}")
            } else {
                format!(
                    "Insufficient credits. This account never purchased credits. If the key is that \
                     of the right account, purchase some at {page}"
                )
            };
            let hint = format!("Add credits at {page}, or ask for a model that is free.");
            payment(pot, text, hint)
        }
        Pot::Key(reset) => {
            let window = window(reset, "total");
            forbidden(format!("Key limit exceeded ({window} limit). Manage it using {page}"))
        }
        Pot::Workspace(reset, limit) => {
            let window = window(reset, "lifetime");
            let text = format!("Workspace {window} budget of {} exceeded.", dollars(limit));
            forbidden(format!("{text} Contact your org admin."))
        }
        Pot::Guardrail(reset, limit) => {
            let window = window(reset, "lifetime");
            let text = format!("Guardrail {window} budget of {} exceeded.", dollars(limit));
            forbidden(format!("{text} Contact your org admin."))
        }
    }
}

/// Something is left, and it is too little for this request: 402 with the figures.
#[must_use]
pub fn short(pot: Pot, by: Short, public_url: &str) -> ApiError {
    let page = pot.page(public_url);
    let what = match by {
        Short::Output { requested, affordable } => format!(
            "This request requires more credits, or fewer max_tokens. You requested up to \
             {requested} tokens, but can only afford {affordable}."
        ),
        Short::Prompt { tokens, affordable } => {
            format!("Prompt tokens limit exceeded: {tokens} > {affordable}.")
        }
    };
    let text = format!("{what} To increase, visit {page} and {}", pot.remedy());
    let smaller = match by {
        Short::Output { .. } => "lower max_tokens",
        Short::Prompt { .. } => "send a shorter prompt",
    };
    payment(pot, text, format!("Visit {page} and {}, or {smaller}.", pot.remedy()))
}

/// 402 with what the specification puts beside it.
fn payment(pot: Pot, text: String, hint: String) -> ApiError {
    ApiError::new(ErrorKind::PaymentRequired, text)
        .with_metadata("limit_source", pot.source())
        .with_metadata("remedy_hint", hint)
}

/// `$500.00`: two decimals at least, and no more than there are.
fn dollars(amount: Usd) -> String {
    let text = amount.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    format!("${whole}.{part:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://gate.example";

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn insufficient_credits_names_the_page_and_says_if_nothing_was_ever_bought() {
        let bought = exhausted(Pot::Credits { purchased: true }, URL);
        let text = "Insufficient credits. Add more using https://gate.example/settings/credits";
        assert_eq!((bought.status(), bought.message.as_str()), (402, text));
        assert_eq!(bought.metadata["limit_source"], "openrouter_credits");
        assert!(bought.metadata["remedy_hint"].is_string());
        let never = exhausted(Pot::Credits { purchased: false }, URL);
        let start = "Insufficient credits. This account never purchased credits. ";
        assert!(never.message.starts_with(start), "{never}");
        assert_eq!(never.metadata["limit_source"], "openrouter_credits");
    }

    #[test]
    fn a_limit_that_is_used_up_is_403_and_names_its_window() {
        for (reset, name) in [
            (None, "total"),
            (Some(ResetInterval::Daily), "daily"),
            (Some(ResetInterval::Weekly), "weekly"),
            (Some(ResetInterval::Monthly), "monthly"),
        ] {
            let error = exhausted(Pot::Key(reset), URL);
            let text = format!(
                "Key limit exceeded ({name} limit). Manage it using https://gate.example/settings/keys"
            );
            assert_eq!((error.status(), error.message), (403, text));
        }
        let budget = Pot::Workspace(Some(ResetInterval::Monthly), usd("500"));
        let error = exhausted(budget, URL);
        let text = "Workspace monthly budget of $500.00 exceeded. Contact your org admin.";
        assert_eq!((error.status(), error.message.as_str()), (403, text));
        let error = exhausted(Pot::Guardrail(None, usd("0.125")), URL);
        let text = "Guardrail lifetime budget of $0.125 exceeded. Contact your org admin.";
        assert_eq!((error.status(), error.message.as_str()), (403, text));
    }

    #[test]
    fn an_output_that_is_too_long_gets_the_figures_and_the_remedy_of_its_pot() {
        let by = Short::Output { requested: 1500, affordable: 37 };
        let head = "This request requires more credits, or fewer max_tokens. You requested up to \
                    1500 tokens, but can only afford 37. To increase, visit https://gate.example/settings/";
        for (pot, tail, source) in [
            (
                Pot::Credits { purchased: true },
                "credits and add more credits",
                "openrouter_credits",
            ),
            (
                Pot::Credits { purchased: false },
                "credits and upgrade to a paid account",
                "openrouter_credits",
            ),
            (Pot::Key(None), "keys and create a key with a higher total limit", "key_limit"),
            (
                Pot::Key(Some(ResetInterval::Monthly)),
                "keys and create a key with a higher monthly limit",
                "key_limit",
            ),
        ] {
            let error = short(pot, by, URL);
            assert_eq!((error.status(), error.message), (402, format!("{head}{tail}")));
            assert_eq!(error.metadata["limit_source"], source);
        }
    }

    #[test]
    fn a_prompt_that_is_too_long_gets_both_counts() {
        let by = Short::Prompt { tokens: 230_799, affordable: 91_442 };
        let error = short(Pot::Credits { purchased: true }, by, URL);
        let text = "Prompt tokens limit exceeded: 230799 > 91442. To increase, visit \
                    https://gate.example/settings/credits and add more credits";
        assert_eq!((error.status(), error.message.as_str()), (402, text));
    }
}
