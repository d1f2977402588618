//! Lists of provider slugs: which endpoints they name, and at which place (inference spec 5.2).

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use signalbox_catalog::Endpoint;

/// Longest list that is searched from one end to the other.
const FEW: usize = 8;

/// A list of slugs that is asked about many endpoints.
#[derive(Debug)]
pub struct Slugs<'a> {
    names: &'a [String],
    /// Names to their first place, when there are many.
    places: Option<HashMap<Caseless<'a>, usize>>,
}

impl<'a> Slugs<'a> {
    /// Prepares a list.
    #[must_use]
    pub fn new(names: &'a [String]) -> Self {
        let places = (names.len() > FEW).then(|| {
            let mut places = HashMap::with_capacity(names.len());
            for (place, name) in names.iter().enumerate() {
                places.entry(Caseless(name)).or_insert(place);
            }
            places
        });
        Self { names, places }
    }

    /// Whether there is no name in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The place of the first name that means the endpoint.
    #[must_use]
    pub fn position(&self, endpoint: &Endpoint) -> Option<usize> {
        match &self.places {
            None => self.names.iter().position(|name| endpoint.matches(name)),
            Some(places) => spellings(endpoint)
                .iter()
                .flatten()
                .filter_map(|name| places.get(&Caseless(name)))
                .min()
                .copied(),
        }
    }

    /// Whether a name in it means the endpoint.
    #[must_use]
    pub fn names(&self, endpoint: &Endpoint) -> bool {
        self.position(endpoint).is_some()
    }

    /// The names that mean none of the endpoints, each once.
    #[must_use]
    pub fn idle<'e>(&self, endpoints: impl Iterator<Item = &'e Endpoint>) -> Vec<&'a str> {
        let mut idle = vec![true; self.names.len()];
        for endpoint in endpoints {
            match &self.places {
                None => {
                    for (name, idle) in self.names.iter().zip(&mut idle) {
                        *idle = *idle && !endpoint.matches(name);
                    }
                }
                Some(places) => {
                    for name in spellings(endpoint).iter().flatten() {
                        let place = places.get(&Caseless(name));
                        if let Some(idle) = place.and_then(|place| idle.get_mut(*place)) {
                            *idle = false;
                        }
                    }
                }
            }
        }
        self.names
            .iter()
            .zip(idle)
            .filter(|(_, idle)| *idle)
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// Every slug that means the endpoint, as [`Endpoint::matches`] has it.
fn spellings(endpoint: &Endpoint) -> [Option<std::borrow::Cow<'_, str>>; 2] {
    let tag = endpoint.tag.as_str();
    let first = tag.split('/').next().unwrap_or(tag);
    let other = match &endpoint.tier {
        None => std::borrow::Cow::Borrowed(first),
        Some(tier) => std::borrow::Cow::Owned(format!("{first}/{tier}")),
    };
    [Some(std::borrow::Cow::Borrowed(tag)), (other != tag).then_some(other)]
}

/// A name whose case does not matter.
#[derive(Debug, Clone, Copy)]
struct Caseless<'a>(&'a str);

impl PartialEq for Caseless<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Caseless<'_> {}

impl Hash for Caseless<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The length and both ends tell names apart well enough, and `Eq` looks at all of it. Names in
        // another case have the same bits below: a letter's case is the bit that is set in both.
        let bytes = self.0.as_bytes();
        let word = |bytes: Option<&[u8; 8]>| {
            bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes) | 0x2020_2020_2020_2020)
        };
        state.write_usize(bytes.len());
        if bytes.len() < 8 {
            for byte in bytes {
                state.write_u8(byte | 0x20);
            }
        } else {
            state.write_u64(word(bytes.first_chunk()));
            state.write_u64(word(bytes.last_chunk()));
        }
    }
}
