//! The grammar of model slugs (inference spec 1.1 and 7).

/// Longest slug that is looked at; longer ones are unknown.
pub const MAX_SLUG_CHARS: usize = 256;
/// Most suffixes of one slug; more make it unknown.
pub const MAX_SUFFIXES: usize = 8;

/// A suffix that changes how a request is routed, not which row it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Sort by throughput; priority-tier endpoints may take part.
    Nitro,
    /// Sort by price; flex-tier endpoints may take part.
    Floor,
    /// Sort by how well tools are called.
    Exacto,
    /// With the web plugin.
    Online,
    /// Reasoning on by default.
    Thinking,
    /// A longer window, where the model has no row of its own for it.
    Extended,
    /// Free models only; on router slugs.
    Free,
}

impl Variant {
    /// The suffix without its colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nitro => "nitro",
            Self::Floor => "floor",
            Self::Exacto => "exacto",
            Self::Online => "online",
            Self::Thinking => "thinking",
            Self::Extended => "extended",
            Self::Free => "free",
        }
    }

    /// The variant that any model takes by this suffix. `free` is not one: it is a row of its own,
    /// but for routers.
    #[must_use]
    pub fn from_suffix(suffix: &str) -> Option<Self> {
        [Self::Nitro, Self::Floor, Self::Exacto, Self::Online, Self::Thinking, Self::Extended]
            .into_iter()
            .find(|one| one.name() == suffix)
    }
}

/// What the `model` member of a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A model, perhaps with suffixes: look it up.
    Model(&'a str),
    /// `@preset/slug`: a preset that names the model itself.
    Preset(&'a str),
    /// `author/name@preset/slug`: a model with a preset on top.
    ModelWithPreset {
        /// The model, perhaps with suffixes.
        model: &'a str,
        /// The preset's slug.
        preset: &'a str,
    },
}

impl<'a> Reference<'a> {
    /// Splits off a preset, if there is one. Nothing is checked for existence.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        match text.split_once("@preset/") {
            Some(("", preset)) => Self::Preset(preset),
            Some((model, preset)) => Self::ModelWithPreset { model, preset },
            None => Self::Model(text),
        }
    }
}

/// A slug cut at its colons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub base: &'a str,
    pub suffixes: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    /// `None` when the slug is too long, has too many suffixes or an empty one.
    pub fn parse(slug: &'a str) -> Option<Self> {
        if slug.is_empty() || slug.len() > MAX_SLUG_CHARS {
            return None;
        }
        let mut pieces = slug.split(':');
        let base = pieces.next().filter(|base| !base.is_empty())?;
        let suffixes: Vec<&str> = pieces.take(MAX_SUFFIXES + 1).collect();
        let valid = suffixes.len() <= MAX_SUFFIXES && suffixes.iter().all(|one| !one.is_empty());
        valid.then_some(Self { base, suffixes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_split_off() {
        assert_eq!(Reference::parse("a/b:free"), Reference::Model("a/b:free"));
        assert_eq!(Reference::parse("@preset/mine"), Reference::Preset("mine"));
        assert_eq!(
            Reference::parse("a/b@preset/mine"),
            Reference::ModelWithPreset { model: "a/b", preset: "mine" }
        );
    }

    #[test]
    fn malformed_slugs_have_no_parts() {
        let long = "a".repeat(MAX_SLUG_CHARS + 1);
        let many = format!("a/b{}", ":nitro".repeat(MAX_SUFFIXES + 1));
        for slug in ["", ":free", "a/b:", "a/b::free", long.as_str(), many.as_str()] {
            assert_eq!(Parts::parse(slug), None, "{slug}");
        }
        let parts = Parts::parse("a/b:free:online").unwrap();
        assert_eq!((parts.base, parts.suffixes), ("a/b", vec!["free", "online"]));
    }
}
