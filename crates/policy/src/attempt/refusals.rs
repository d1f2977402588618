//! Credentials that a provider refused: they rest, and come back by themselves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use signalbox_core::Timestamp;

use super::Failure;
use crate::plan::Candidate;

/// Seconds for which a refused credential rests the first time; it doubles with each refusal.
const FIRST_REST: i64 = 60;
/// Longest rest.
const LONGEST_REST: i64 = 600;
/// Seconds for which the one request that finds out keeps the others away.
const PROBE: i64 = 10;
/// Most entries. A gateway has some hundreds of providers and tenants with keys of their own.
const MOST: usize = 100_000;

/// What was refused: a provider's credential, or one endpoint to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Scope {
    Provider(String, Option<String>),
    Endpoint(String, Option<String>),
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Timestamp,
    times: u32,
}

/// What rests. A credential that is unknown or without money rests for all of its provider's
/// endpoints; one that may not have a model rests for that model alone, so that nobody can take a
/// provider away from others by asking for what it does not sell.
#[derive(Debug, Default)]
pub struct Refusals {
    rests: RwLock<HashMap<Scope, Rest>>,
    /// How many there are, so that the usual case takes no lock.
    count: AtomicUsize,
}

fn scopes(candidate: &Candidate) -> [Scope; 2] {
    let key = candidate.seat().credential.map(str::to_owned);
    let endpoint = &candidate.endpoint;
    [
        Scope::Provider(endpoint.provider.clone(), key.clone()),
        Scope::Endpoint(endpoint.id.clone(), key),
    ]
}

impl Refusals {
    /// Notes a failure, if it is a refusal. `true` when it is one.
    pub fn failed(&self, candidate: &Candidate, failure: &Failure, now: Timestamp) -> bool {
        let [provider, endpoint] = scopes(candidate);
        let scope = if failure.refuses_credential() {
            provider
        } else if failure.refuses_endpoint() {
            endpoint
        } else {
            return false;
        };
        let mut rests = self.rests.write().unwrap_or_else(PoisonError::into_inner);
        if rests.len() >= MOST && !rests.contains_key(&scope) {
            rests.retain(|_, rest| rest.until > now);
            // The operator's are few, and nobody's keys may crowd them out.
            if rests.len() >= MOST && candidate.byok.is_some() {
                return true;
            }
        }
        let rest = rests.entry(scope).or_insert(Rest { until: now, times: 0 });
        // Several requests may be refused at the same time; that is one refusal.
        if rest.until <= now.plus_millis(PROBE * 1_000) {
            let seconds = FIRST_REST.saturating_mul(1_i64 << rest.times.min(10)).min(LONGEST_REST);
            let until = now.plus_millis(seconds.saturating_mul(1_000));
            *rest = Rest { until, times: rest.times.saturating_add(1) };
        }
        self.count.store(rests.len(), Ordering::Release);
        true
    }

    /// Notes that a credential was good for something.
    pub fn accepted(&self, candidate: &Candidate) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut rests = self.rests.write().unwrap_or_else(PoisonError::into_inner);
        for scope in scopes(candidate) {
            rests.remove(&scope);
        }
        self.count.store(rests.len(), Ordering::Release);
    }

    /// Asks to use a candidate's credential. After its rest one request may find out whether it is
    /// good again.
    ///
    /// # Errors
    /// Seconds for which it still rests, at least one.
    pub fn enter(&self, candidate: &Candidate, now: Timestamp) -> Result<(), u64> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let scopes = scopes(candidate);
        let mut rests = self.rests.write().unwrap_or_else(PoisonError::into_inner);
        for scope in &scopes {
            if let Some(rest) = rests.get(scope)
                && rest.until > now
            {
                return Err(rest.until.millis_since(now).div_ceil(1_000).max(1));
            }
        }
        for scope in &scopes {
            if let Some(rest) = rests.get_mut(scope) {
                rest.until = now.plus_millis(PROBE * 1_000);
            }
        }
        Ok(())
    }
}
