//! How many candidates a plan keeps: fallbacks may be forbidden, each model has its share, and of that each
//! section that comes later keeps some.

use std::collections::HashSet;
use std::sync::Arc;

use signalbox_catalog::{Endpoint, Snapshot};
use signalbox_core::limits;

use super::Candidate;
use super::gather::Remarks;
use super::runner::Runner;
use crate::account::ByokKey;
use crate::place::{Basis, Proof, Section};
use crate::rank::sort::Method;
use crate::requirements::{Requirements, Tier, TierWish};
use crate::rule::{Detail, Reason};

/// The candidates so far, with room kept for each model that is wanted.
pub(super) struct Limit<'a> {
    request: &'a Requirements,
    catalog: &'a Snapshot,
    candidates: Vec<Candidate>,
    /// How many of each wanted model are in, by its place in the request.
    counts: Vec<usize>,
    most: usize,
    /// Whether a model is wanted twice, so that an endpoint can come twice.
    repeated: bool,
}

/// Fewest candidates of a model, however many models are wanted.
const FEWEST_OF_A_MODEL: usize = 2;
/// Candidates of a model that each later section keeps for itself, so that many own keys do not stand in
/// for shared capacity, nor much shared capacity for fallback keys (inference spec 5.8).
const KEPT_OF_A_SECTION: usize = 2;

impl<'a> Limit<'a> {
    /// One model alone may use every attempt; several share them.
    pub fn new(request: &'a Requirements, catalog: &'a Snapshot) -> Self {
        let wanted = request.models.len().max(1);
        let most = limits::MAX_ATTEMPTS.div_ceil(wanted).max(FEWEST_OF_A_MODEL);
        let repeated = (0..request.models.len()).any(|index| super::is_repeated(request, index));
        Self { request, catalog, candidates: Vec::new(), counts: vec![0; wanted], most, repeated }
    }

    /// Takes the best of a group, as many as are allowed; the others get a verdict. `ranked` has
    /// their places.
    pub fn admit(
        &mut self,
        method: Method,
        runners: &[Runner<'_>],
        ranked: &[usize],
        remarks: &mut Remarks,
    ) {
        let first = self.first(runners, ranked);
        for (place, index) in ranked.iter().enumerate() {
            let Some(one) = runners.get(*index) else { continue };
            if let Some(detail) = self.without_fallbacks(method, one, first == Some(place)) {
                let reason = Reason::new("allow_fallbacks", "provider.allow_fallbacks", detail);
                remarks.exclude(one.endpoint, one.key, "allow_fallbacks", reason);
                continue;
            }
            if self.holds(one) {
                continue;
            }
            let later = ranked.get(place..).unwrap_or_default();
            let later = later.iter().filter_map(|index| runners.get(*index));
            if !self.has_room(one, later) {
                let detail = Detail::Beyond { most: self.most };
                remarks.exclude(
                    one.endpoint,
                    one.key,
                    "attempts",
                    Reason::unasked("attempts", detail),
                );
                continue;
            }
            let model = self.request.models.get(one.model_index);
            let provider = self.catalog.provider(&one.endpoint.provider);
            let (Some(wanted), Some(provider)) = (model, provider) else { continue };
            if let Some(count) = self.counts.get_mut(one.model_index) {
                *count = count.saturating_add(1);
            }
            self.candidates.push(Candidate {
                endpoint: Arc::clone(one.endpoint),
                model: Arc::clone(&wanted.model),
                provider: Arc::clone(provider),
                model_index: one.model_index,
                byok: one.key.map(Arc::clone),
                place: one.place,
            });
        }
    }

    /// Whether a candidate is within the share of its model, and leaves what is kept for those of the
    /// later sections. The first of a section needs to leave nothing.
    fn has_room<'r>(&self, one: &Runner<'_>, later: impl Iterator<Item = &'r Runner<'r>>) -> bool {
        let (model, section) = (one.model_index, one.place.section);
        let count = self.counts.get(model).copied().unwrap_or(usize::MAX);
        if count >= self.most || self.request.account.byok.is_empty() {
            return count < self.most;
        }
        let is_first = || {
            !self.candidates.iter().any(|it| (it.model_index, it.place.section) == (model, section))
        };
        let mut kept = [0_usize; 2];
        for it in later.filter(|it| it.model_index == model && it.place.section > section) {
            let place = usize::from(it.place.section == Section::FallbackKeys);
            if let Some(number) = kept.get_mut(place) {
                *number = number.saturating_add(1).min(KEPT_OF_A_SECTION);
            }
        }
        let kept: usize = kept.into_iter().sum();
        count.saturating_add(kept) < self.most || is_first()
    }

    /// The candidates. What a model's second slug let in is not out by its first.
    pub fn finish(self, remarks: &mut Remarks) -> Vec<Candidate> {
        if self.repeated {
            let seat = |endpoint: &Arc<Endpoint>, key: &Option<Arc<ByokKey>>| {
                (endpoint.id.clone(), key.as_ref().map(|key| key.id.clone()))
            };
            let mut seen: HashSet<_> =
                self.candidates.iter().map(|one| seat(&one.endpoint, &one.byok)).collect();
            remarks.excluded.retain(|one| seen.insert(seat(&one.endpoint, &one.byok)));
        }
        self.candidates
    }

    /// Whether an endpoint is in already: only a model that is wanted twice brings it twice.
    fn holds(&self, one: &Runner<'_>) -> bool {
        self.repeated
            && self.candidates.iter().any(|two| {
                let keys = (two.byok.as_ref(), one.key);
                Arc::ptr_eq(&two.endpoint, one.endpoint)
                    && keys.0.map(|key| &key.id) == keys.1.map(|key| &key.id)
            })
    }

    /// The place of the one that is tried without fallbacks: of the tier that is asked for, if any is.
    fn first(&self, runners: &[Runner<'_>], ranked: &[usize]) -> Option<usize> {
        let wished = |index: &usize| runners.get(*index).is_some_and(|one| one.place.wished_tier);
        let priority = self.request.tier == TierWish::Tier(Tier::Priority);
        let best = if priority { ranked.iter().position(wished) } else { None };
        best.or(Some(0))
    }

    /// With `allow_fallbacks: false` the first one alone is tried: of `order` all, of the priority
    /// tier the first, and with `:exacto` all that are proven (inference spec 5.1, 18.1). Else why not.
    fn without_fallbacks(
        &self,
        method: Method,
        one: &Runner<'_>,
        is_first: bool,
    ) -> Option<Detail> {
        let wishes = &self.request.provider;
        if wishes.allow_fallbacks || !wishes.order.is_empty() {
            return None;
        }
        match (method, one.place.basis) {
            (Method::Exacto { asked: true }, Basis::Exacto { tier: Proof::Proven, .. }) => None,
            (Method::Exacto { asked: true }, Basis::Exacto { tier, .. }) => {
                Some(Detail::NotProven(tier))
            }
            _ => (!is_first).then_some(Detail::NotFirst),
        }
    }
}
