//! One endpoint, and a clock that moves when told.

use signalbox_catalog::Endpoint;
use signalbox_core::Timestamp;
use signalbox_policy::health::{
    Admission, EndpointHealth, Observation, Seat, Sending, Standing, Usual,
};
use signalbox_policy::{Health, HealthBoard};

/// A stream that took so many milliseconds to its first content.
pub fn fine(first_content_ms: u64) -> Observation {
    Observation::Success {
        first_content_ms: Some(first_content_ms),
        total_ms: first_content_ms + 1_000,
        output_tokens: 100,
        tools: None,
    }
}

pub fn endpoint(id: &str) -> Endpoint {
    serde_json::from_value(serde_json::json!({
        "id": id, "model": "acme/m", "provider": "acme", "tag": "acme", "name": "Acme | m",
        "provider_model_id": "m", "variant": "standard", "context_length": 1000,
        "prices": {"prompt": "0.000001", "completion": "0.000002"},
        "data_policy": {"training": false, "retains_prompts": false},
    }))
    .unwrap()
}

pub struct Scene {
    pub board: HealthBoard,
    pub now: Timestamp,
    endpoint: Endpoint,
}

impl Scene {
    pub fn new() -> Self {
        let now = Timestamp::from_seconds(super::START);
        Self { board: HealthBoard::default(), now, endpoint: endpoint("acme-1") }
    }

    /// After five faults.
    pub fn ejected() -> Self {
        let mut scene = Self::new();
        (0..5).for_each(|_| scene.call(10, Observation::Fault));
        assert!(matches!(scene.standing(), Standing::Ejected { .. }));
        scene
    }

    pub fn seat(&self) -> Seat<'static> {
        Seat { endpoint: "acme-1", credential: None }
    }

    pub fn sending(&self, last_resort: bool) -> Sending<'static> {
        let seat = self.seat();
        Sending { seat, model: "acme/m", whole: false, usual: Usual::CHAT, last_resort }
    }

    pub fn enter(&self, last_resort: bool) -> Admission {
        self.board.enter(&self.sending(last_resort), self.now)
    }

    pub fn end(&self, sent: Timestamp, seen: Observation) {
        self.board.record(self.seat(), sent, self.now, seen);
    }

    /// A whole attempt, sent so long before it ends, if it is let in.
    pub fn call(&mut self, millis: i64, seen: Observation) {
        let sent = self.now;
        let _ = self.enter(false);
        self.now = self.now.plus_millis(millis);
        self.end(sent, seen);
    }

    pub fn health(&self) -> EndpointHealth {
        self.board.of(&self.endpoint, None, self.now)
    }

    pub fn standing(&self) -> Standing {
        self.health().standing
    }

    pub fn later(&mut self, seconds: i64) -> EndpointHealth {
        self.now = self.now.plus_millis(seconds * 1000);
        self.health()
    }
}
