//! The public shape at a provider: the body is patched, the answer is checked.

use super::answer::{EmbeddingsAnswer, Places, malformed, member};
use super::usage::{named, total_tokens};
use super::{EmbeddingsRequest, Outbound, count};
use crate::document::{Document, Edits, Kind, Raw, quoted};
use crate::identity::StreamFault;
use crate::openai_chat::write_relay::is_own;
use crate::outbound::WrittenRequest;

pub(super) fn write_request(request: &EmbeddingsRequest, out: &Outbound<'_>) -> WrittenRequest {
    let body = relayed(&request.document, out);
    WrittenRequest { body, losses: Vec::new() }
}

/// The client's body with the router's members taken out, the model named and the patches made.
pub(crate) fn relayed(document: &Document, out: &Outbound<'_>) -> bytes::Bytes {
    let mut edits = Edits::default();
    for (key, _) in document.members() {
        if is_own(key) || matches!(key, "stream" | "stream_options") {
            edits.remove(key.to_owned());
        }
    }
    edits.set("model", quoted(out.provider_model_id));
    if let Some(user) = out.user {
        edits.set("user", quoted(user));
    }
    out.patches.apply(document, &mut edits);
    document.edited(&edits)
}

pub(super) fn read_answer(
    document: &Document,
    mut places: Places,
) -> Result<EmbeddingsAnswer, StreamFault> {
    let data = member(document, "data").filter(|raw| raw.kind() == Kind::Array);
    let data = data.ok_or_else(|| malformed("there is no `data`"))?;
    for (place, (_, one)) in data.elements().enumerate() {
        let mut odd = false;
        let index = count(one.get("index"), &mut odd);
        if odd {
            return Err(malformed("an index is no place"));
        }
        let place = index.map_or(place, |index| usize::try_from(index).unwrap_or(usize::MAX));
        places.put(place, one.get("embedding").unwrap_or(Raw::new("null")))?;
    }
    let mut odd = false;
    let usage = member(document, "usage");
    let tokens = usage.and_then(|usage| total_tokens(usage, &mut odd));
    let details = usage.and_then(|usage| usage.get("prompt_tokens_details"));
    let modalities = named(details, &mut odd);
    places.answer(tokens, modalities, odd, member(document, "id"))
}
