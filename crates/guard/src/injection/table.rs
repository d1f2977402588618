//! The named patterns. A space in one stands for white space; names in `{}` for a list of words below.

/// A pattern and where it is tried.
pub(super) struct Row {
    pub name: &'static str,
    /// The words that it can begin with, in lower case.
    pub words: &'static [&'static str],
    /// What stands before that word.
    pub lead: Lead,
    /// How what follows the word begins; empty when it may be anything.
    pub next: &'static [&'static str],
    pub pattern: &'static str,
    pub case_sensitive: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// Nothing: the pattern begins with the word.
    Word,
    /// The start of a line.
    Line,
    /// One of these bytes, close before it.
    After(&'static [u8]),
}

const fn row(name: &'static str, words: &'static [&'static str], pattern: &'static str) -> Row {
    Row { name, words, lead: Lead::Word, next: &[], pattern, case_sensitive: false }
}

const fn tag(
    name: &'static str,
    words: &'static [&'static str],
    marks: &'static [u8],
    pattern: &'static str,
) -> Row {
    Row { name, words, lead: Lead::After(marks), next: &[], pattern, case_sensitive: false }
}

impl Row {
    const fn then(mut self, next: &'static [&'static str]) -> Self {
        self.next = next;
        self
    }
}

/// Names of lists, and the lists.
const LISTS: &[(&str, &str)] = &[
    ("{rules}", "(?:instructions?|rules?|guidelines?|constraints?|directives?)"),
    (
        "{kind}",
        "(?:(?:safety|security|system|operational|core|internal|original|initial|current|existing|given|stated|provided) )?",
    ),
    ("{all}", "(?:all )?(?:of )?(?:(?:the|your|my|these|any) )?"),
    ("{your}", "(?:your|yuor|yoru|yor|youre|you['’]re|ur|its|the)"),
    ("{system}", "(?:system|sytem|systm|systme|sysem|syste|sistem|ssytem|syetem)"),
    ("{prompt}", "(?:prompts?|instructions?|messages?)"),
    ("{whole}", "(?:(?:full|entire|complete|whole|exact|actual|real|secret|hidden|internal) )*"),
    (
        "{limits}",
        "(?:restrictions?|limitations?|limits?|constraints?|safeguards?|guardrails?|censorship)",
    ),
    (
        "{safety}",
        "(?:safety|security|content|moderation|ethical|ethics) (?:filters?|filtering|guidelines?|rules?|policy|policies|measures?|protocols?|checks?|controls?|features?|mechanisms?|restrictions?|constraints?|guardrails?|limits?|training)",
    ),
    ("{modal}", "(?:is|are|become|were|have been|has been) (?:(?:now|hereby|all) )*"),
    (
        "{unbound}",
        "(?:unrestricted|unfiltered|uncensored|unlimited|unbound|unchained|jailbroken|without (?:any )?(?:restrictions?|rules?|limits?|limitations?|filters?)|no (?:longer )?(?:restrictions?|rules?|limits?|limitations?|filters?|bound|restricted)|free (?:of|from) (?:all |any )?(?:restrictions?|rules?|limits?|limitations?|filters?)|not bound|can do anything)",
    ),
];

pub(super) const ROWS: &[Row] = &[
    row(
        "ignore_previous_instructions",
        &["ignore", "ignores", "ignoring"],
        r"ignor(?:e|es|ing) {all}(?:previous|prior) {kind}{rules}",
    ),
    row(
        "disregard_instructions",
        &["disregard", "disregards", "disregarding"],
        r"disregard(?:s|ing)? {all}(?:previous|prior|above) {kind}{rules}",
    ),
    row(
        "forget_instructions",
        &["forget", "forgets", "forgetting"],
        r"forget(?:s|ting)? {all}(?:previous|prior|above) {kind}{rules}",
    ),
    row("new_instructions", &["new"], r"new instructions?\s*:").then(&["instruction"]),
    row(
        "do_not_follow",
        &["do", "don"],
        r"(?:do not|don['’]t) follow (?:the |your |any )?(?:system|developer|previous|original) (?:{prompt}|{rules})",
    ).then(&["not", "'t"]),
    row(
        "supersede_instructions",
        &["supersede", "supersedes", "superseding"],
        r"supersed(?:es?|ing) {all}(?:previous|prior|earlier|existing|original|system) {kind}{rules}",
    ),
    row(
        "void_instructions",
        &["previous", "prior"],
        r"(?:previous|prior) {kind}{rules} {modal}(?:null and )?(?:void|invalid|null|obsolete|cancell?ed|revoked)\b",
    ).then(&["s", "o", "c", "i", "g", "e", "p", "r", "d"]),
    row("developer_mode", &["you"], r"you(?: are|['’]re) now (?:in )?(?:the )?developer mode").then(&["are", "'re"]),
    row(
        "enter_special_mode",
        &["enter", "enters", "entering"],
        r"enter(?:s|ing)? (?:into )?(?:a |the )?(?:developer|admin|debug|maintenance) mode",
    ),
    row(
        "activate_special_mode",
        &["activate", "activates", "activating"],
        r"activat(?:es?|ing) (?:a |the |your )?(?:developer|admin|debug|jailbreak) mode",
    ),
    row("system_override", &["system"], r"system(?: |-|_)overrid(?:e|es|ing|den)\b").then(&["overrid", "-overrid", "_overrid"]),
    row(
        "override_instructions",
        &["override", "overrides", "overriding"],
        r"overrid(?:es?|ing) {all}(?:(?:previous|prior|system|safety|default|original|existing|current) )+(?:prompts?|{rules})",
    ),
    row(
        "reveal_prompt",
        &["reveal", "reveals", "revealing"],
        r"reveal(?:s|ing)? (?:to me |me )?{your} (?:[a-z]+ ){0,2}?{system} {prompt}",
    ),
    row(
        "show_prompt",
        &["show"],
        r"show (?:me |us )?(?:your {whole}(?:(?:system|initial|original) )?(?:prompt|instructions?)|the {whole}(?:system|initial|original) {prompt})",
    ).then(&["me", "us", "your", "the"]),
    row(
        "what_instructions",
        &["what"],
        r"what (?:are|were|was|is) your {whole}(?:(?:system|initial|original|previous|given) )*(?:{rules}|prompt)",
    ).then(&["are", "were", "was", "is"]),
    row(
        "repeat_instructions",
        &["repeat"],
        r"repeat {all}(?:text|words|instructions?|everything|content|messages?|prompt) (?:from )?(?:above|before)",
    ),
    row(
        "output_prompt",
        &["output", "outputs", "print", "prints"],
        r"(?:output|print)s? {your} {whole}(?:initial|original|system) {prompt}",
    ),
    row(
        "remove_restrictions",
        &["remove", "removes", "removing", "lift"],
        r"(?:remov(?:es?|ing)|lift) (?:(?:all|any) (?:of )?(?:the |your |its )?|your |its )(?:(?:safety|content|ethical|moral|built-in|usage) )*{limits}",
    ),
    row(
        "act_unbound",
        &["act", "behave", "respond", "answer"],
        r"(?:act|behave|respond|answer) (?:as (?:if|though)|like) (?:you (?:have|had|are|were|aren['’]t|weren['’]t)|there (?:are|were)) (?:an? )?(?:{unbound}|no {limits}|no (?:safety|content|ethical) {limits}|bound by no)",
    ).then(&["as", "like"]),
    row(
        "pretend_different",
        &["pretend", "pretends", "pretending"],
        r"pretend(?:s|ing)? (?:that )?(?:to be|you(?: are|['’]re)|being) (?:an? |the |another )?(?:[a-z-]+ ){0,2}?(?:ai|assistant|model)\b",
    ),
    row("identity_hijack", &["you"], r"you(?: are|['’]re) now [^\n]{1,40}?\b{unbound}").then(&["are", "'re"]),
    Row {
        name: "dan_jailbreak",
        next: &[],
        words: &["dan"],
        lead: Lead::Word,
        case_sensitive: true,
        pattern: r"DAN\b(?s:.){0,200}?(?i:do anything now)",
    },
    row("jailbreak_mode", &["jailbreak", "jailbroken"], r"jailbr(?:eak|oken)(?: |-)mode"),
    row(
        "bypass_safety",
        &["bypass", "bypasses", "bypassing", "circumvent"],
        r"(?:bypass(?:es|ing)?|circumvent) {all}(?:(?:ai|model|built-in|usual) )*(?:{safety}|safeguards?|guardrails?)",
    ),
    row(
        "disable_safety",
        &["disable", "disables", "disabling", "deactivate"],
        r"(?:disabl(?:es?|ing)|deactivate) {all}(?:(?:ai|model|built-in|usual) )*(?:{safety}|safeguards?|guardrails?)",
    ),
    row(
        "ignore_safety",
        &["ignore", "ignores", "ignoring"],
        r"ignor(?:es?|ing) {all}(?:(?:ai|model|built-in|usual) )*(?:{safety}|safeguards?|guardrails?)",
    ),
    tag(
        "system_tag_injection",
        &["system", "sys"],
        b"<",
        r"<+\s*/?\s*(?:system|sys)(?:[ _-]?(?:prompt|message|instructions?))?(?:\s[^<>]{0,80})?/?>",
    ),
    tag(
        "role_tag_injection",
        &["assistant", "developer", "tool", "function"],
        b"<",
        r"<+\s*/?\s*(?:assistant|developer|tool|function)(?:\s[^<>]{0,80})?/?>",
    ),
    tag(
        "role_delimiter_injection",
        &["system", "assistant", "developer"],
        b"#-=*",
        r"(?:#{2,}|-{3,}|={3,}|\*{3,})\s*(?:system|assistant|developer)(?: (?:prompt|message|instructions?))?\s*(?::|#{2,}|-{3,}|={3,}|\*{3,})",
    ),
    tag(
        "bracketed_role_spoofing",
        &["system", "assistant", "internal"],
        b"[",
        r"\[\s*(?:system message|system|assistant|internal)\s*\]",
    ),
    Row {
        name: "system_prefix_spoofing",
        next: &[":"],
        words: &["system"],
        lead: Lead::Line,
        case_sensitive: false,
        pattern: r"[ \t]*system[ \t]*:",
    },
    Row {
        name: "pipe_control_tokens",
        next: &[],
        words: &["im", "eot", "start", "end", "endoftext"],
        lead: Lead::After(b"<"),
        case_sensitive: true,
        pattern: r"<\|(?:im_start|im_end|eot_id|start_header_id|end_header_id|endoftext)\|>",
    },
    Row {
        name: "fullwidth_control_tokens",
        next: &[],
        words: &["begin", "end"],
        lead: Lead::After(b"<"),
        case_sensitive: true,
        pattern: r"<｜(?:begin|end)[▁_ ]of[▁_ ]sentence｜>",
    },
];

/// Patterns that are made of words alone, and so can be told when their spaces are gone.
pub(super) const WORDY: usize = 26;

/// The pattern with its lists and with this for its spaces.
pub(super) fn expanded(row: &Row, space: &str) -> String {
    let mut pattern = row.pattern.to_owned();
    // Lists name lists.
    for _ in 0..2 {
        for (name, list) in LISTS {
            pattern = pattern.replace(name, list);
        }
    }
    let mut out = String::with_capacity(pattern.len().saturating_mul(2));
    let mut in_class = false;
    let mut escaped = false;
    for letter in pattern.chars() {
        match letter {
            ' ' if !in_class => out.push_str(space),
            _ => out.push(letter),
        }
        in_class = match letter {
            '[' if !escaped => true,
            ']' if !escaped => false,
            _ => in_class,
        };
        escaped = letter == '\\' && !escaped;
    }
    out
}
